"""openssl: digests, a MAC, encryption and decryption, and a key read and written. All of it deterministic."""

from support import need

ED25519_KEY = bytes.fromhex("302e020100300506032b657004220420") + bytes(range(32))


def run(stage):
    openssl = need("openssl")
    plain = b"".join(b"%d:%d\n" % (i, i * i) for i in range(120_000))
    stage.write("plain", plain)
    stage.write("key.der", ED25519_KEY)
    stage.command(openssl, "dgst", "-sha256", "plain")
    stage.command(openssl, "dgst", "-sha512", "-hmac", "a key", "plain")
    cipher = ("enc", "-aes-256-cbc", "-K", "0123456789abcdef" * 4, "-iv", "fedcba9876543210" * 2)
    stage.command(openssl, *cipher, "-in", "plain", "-out", "secret")
    stage.produced("secret")
    stage.command(openssl, *cipher, "-d", "-in", "secret", "-out", "back")
    stage.check(stage.read("back") == plain, "decrypted is not what was encrypted")
    stage.command(openssl, "enc", "-base64", "-A", stdin=plain)
    stage.command(openssl, "pkey", "-inform", "DER", "-in", "key.der", "-pubout")
    stage.command(openssl, "prime", "-generate", "-bits", "256", compare=("stderr",))
    stage.command(openssl, *cipher, "-d", "-in", "plain", "-out", "wrong", status=1, compare=())
