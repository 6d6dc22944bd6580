#include "times.h"

#include "sys.h"

#include <assert.h>
#include <linux/futex.h>
#include <sys/mman.h>

static_assert(AL_LIVE_USUAL % AL_LIVE_ALIGNMENT == 0, "what is closed begins with a page");
static_assert(AL_TIMED_mlockall == 0, "what is used in mode all is never closed");
static_assert(AL_TIMED_TOTAL <= 32, "a bit each");

static struct {
    bool closed; /* what is behind AL_LIVE_USUAL cannot be accessed */
    bool holes;  /* it is of a file without memory there */
} times;

static long protect(int protection)
{
    return al_sys3(SYS_mprotect, (char *)&al_live + AL_LIVE_USUAL, sizeof(al_live) - AL_LIVE_USUAL,
                   protection);
}

void al_times_close(void)
{
    if (sizeof(al_live) > AL_LIVE_USUAL && !(al_live.head.timed >> 1) && !protect(PROT_NONE))
        times.closed = true;
}

/* Others may do the same at the same time. */
static bool open_all(void)
{
    if (!__atomic_load_n(&times.closed, __ATOMIC_ACQUIRE))
        return true;
    if (protect(PROT_READ | PROT_WRITE))
        return false;
    __atomic_store_n(&times.closed, false, __ATOMIC_RELEASE);
    return true;
}

void al_times_open(void)
{
    (void)open_all();
}

void al_times_moved(bool holes)
{
    times.closed = false;
    times.holes = holes;
}

/* Adds 0 to a word of the page, which an instruction might be killed for. */
static bool touch(uintptr_t word)
{
    return al_sys6(SYS_futex, (long)word, FUTEX_WAKE_OP | FUTEX_PRIVATE_FLAG, 0, 0, (long)word,
                   FUTEX_OP(FUTEX_OP_ADD, 0, FUTEX_OP_CMP_EQ, 0)) != -EFAULT;
}

/* Memory that cannot be had is found out here, and is no SIGBUS later. */
static bool fill_hole(enum al_timed timed)
{
    const uintptr_t page = al_page_size();
    uintptr_t word = (uintptr_t)&al_live.histogram[timed];
    uintptr_t end = (uintptr_t)&al_live.histogram[timed + 1];

    for (; times.holes && word < end; word = (word / page + 1) * page)
        if (!touch(word))
            return false;
    return true;
}

/* What cannot be had is not recorded, but counted as ever. */
static bool begin(enum al_timed timed)
{
    if (timed != AL_TIMED_mlockall && !(open_all() && fill_hole(timed)))
        return false;
    __atomic_fetch_or(&al_live.head.timed, 1U << timed, __ATOMIC_RELEASE);
    return true;
}

void al_times_record(enum al_timed timed, uint64_t ns)
{
    if (al_live_has_times(&al_live, timed) || begin(timed))
        al_histogram_record(&al_live.histogram[timed], ns);
}

void al_times_forget(void)
{
    for (size_t i = 0; i < AL_TIMED_TOTAL; i++)
        if (al_live_has_times(&al_live, (enum al_timed)i))
            al_histogram_forget(&al_live.histogram[i]);
    al_live.head.timed = 0;
}
