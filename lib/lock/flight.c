#include "flight.h"

#include "sys.h"

#include <linux/futex.h>

/* How long to wait in all, and until the next look. Looks are counted too: all of the process may
 * have stood still meanwhile, as where a cgroup's share of the processors is used up. */
#if !defined(AL_FLIGHT_PATIENCE_NS)
#    define AL_FLIGHT_PATIENCE_NS 100000000
#endif
enum { PAUSE_NS = 50000, LOOKS = 20 };

static struct {
    unsigned count;
    unsigned stopped; /* by so many threads */
} flights;

static __thread unsigned mine __attribute__((tls_model("initial-exec")));

static unsigned load(const unsigned *value)
{
    return __atomic_load_n(value, __ATOMIC_SEQ_CST);
}

static void add(unsigned *value, unsigned change)
{
    __atomic_fetch_add(value, change, __ATOMIC_SEQ_CST);
}

/* Until it is at most `most`; false if patience ended before. Nobody is told when it changes. */
static bool wait_for(const unsigned *value, unsigned most, uint64_t since)
{
    const long pause[] = {0, PAUSE_NS}; /* the kernel's own timespec */
    unsigned seen;

    for (unsigned looks = 0; (seen = load(value)) > most; looks++) {
        if (looks >= LOOKS && al_now_ns() - since >= AL_FLIGHT_PATIENCE_NS)
            return false;
        al_sys4(SYS_futex, value, FUTEX_WAIT_PRIVATE, seen, pause);
    }
    return true;
}

/* Counted before it is looked whether that is allowed: who stops them does it the other way
 * round. After a wait it is looked again, since the next stop may have begun. Who is in one
 * already may be waited for. */
void al_flight_begin(void)
{
    bool asks = !mine;
    uint64_t since = 0;

    for (add(&flights.count, 1); asks && load(&flights.stopped); add(&flights.count, 1)) {
        add(&flights.count, -1U);
        since = since ? since : al_now_ns();
        asks = wait_for(&flights.stopped, 0, since);
    }
    mine++;
}

void al_flight_end(void)
{
    if (!mine)
        return;
    mine--;
    add(&flights.count, -1U);
}

bool al_flight_is_on(void)
{
    return mine;
}

void al_flight_abandon(void)
{
    unsigned abandoned = mine;

    mine = 0;
    add(&flights.count, -abandoned);
}

void al_flight_stop(void)
{
    add(&flights.stopped, 1);
    (void)wait_for(&flights.count, mine, al_now_ns());
}

void al_flight_go(void)
{
    add(&flights.stopped, -1U);
}

void al_flight_forked(void)
{
    flights.count = mine;
    flights.stopped = 0;
}
