"""java -Xmx256m: compile a class from its source, eight threads, a heap that is collected many times over."""

from support import need, skip

SOURCE = """
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.*;
import java.util.concurrent.*;

public class Main {
    static String work(int seed) throws Exception {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        ByteBuffer direct = ByteBuffer.allocateDirect(1 << 18);
        for (int turn = 0; turn < 20; turn++) {
            Map<String, Integer> map = new TreeMap<>();
            for (int i = 0; i < 4000; i++) map.merge("key" + (i * 7919 + seed) % 1009, i, Integer::sum);
            digest.update(map.toString().getBytes("UTF-8"));
            byte[] block = new byte[1 << 18];
            Arrays.fill(block, (byte) (seed + turn));
            direct.clear(); direct.put(block); direct.flip();
            digest.update(direct);
        }
        return String.format("%064x", new java.math.BigInteger(1, digest.digest()));
    }

    public static void main(String[] arguments) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(8);
        List<Future<String>> results = new ArrayList<>();
        for (int i = 0; i < 16; i++) { final int seed = i; results.add(pool.submit(() -> work(seed))); }
        for (Future<String> result : results) System.out.println(result.get());
        pool.shutdown();
        System.gc();
        try {
            List<byte[]> much = new ArrayList<>();
            while (true) much.add(new byte[16 << 20]);
        } catch (OutOfMemoryError full) {
            System.out.println("the heap is full, as it should be");
        }
        System.exit(6);
    }
}
"""


def run(stage):
    java = need("java")
    stage.write("Main.java", SOURCE)
    modules = stage.command(java, "-Xmx256m", "--list-modules").stdout
    if b"jdk.compiler" not in modules:
        skip("java has no compiler (a JRE, not a JDK)")
    stage.command(java, "-Xmx256m", "Main.java", status=6)
