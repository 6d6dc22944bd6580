/* What others of the cgroup leave: when it is asked, and what follows; the cgroup is a double. */
#include "headroom.h"

#include "cgroup_use.h"
#include "machine.h"
#include "unit.h"

#include <string.h>

static const uint64_t mib = 1 << 20;
static const unsigned most = 90;

static struct {
    uint64_t used;
    uint64_t droppable;
    uint64_t swap;
    unsigned finds;
    unsigned looks;
    unsigned sums;
    void (*meanwhile)(void); /* what another thread does while this one looks */
} cgroup;

uint64_t al_cgroup_find(const char *root, struct al_cgroup_home *ret_home)
{
    ck_assert_str_eq(root, "");
    strcpy(ret_home->directory, "/somewhere/");
    cgroup.finds++;
    return 0;
}

uint64_t al_cgroup_used(const struct al_cgroup_home *home)
{
    void (*meanwhile)(void) = cgroup.meanwhile;
    uint64_t used = cgroup.used;

    ck_assert_str_eq(home->directory, "/somewhere/");
    cgroup.looks++;
    cgroup.meanwhile = NULL;
    if (meanwhile)
        meanwhile();
    return used;
}

uint64_t al_cgroup_droppable(const struct al_cgroup_home *home)
{
    ck_assert_str_eq(home->directory, "/somewhere/");
    cgroup.sums++;
    return cgroup.droppable;
}

uint64_t al_cgroup_swap(const struct al_cgroup_home *home)
{
    ck_assert_str_eq(home->directory, "/somewhere/");
    return cgroup.swap;
}

static uint64_t available;
static uint64_t swap;

uint64_t al_machine_swap(void)
{
    return swap;
}

uint64_t al_machine_available(void)
{
    return available;
}

static void begin(void)
{
    available = UINT64_MAX;
    swap = 0;
    memset(&cgroup, 0, sizeof(cgroup));
}

START_TEST(without_a_limit_everything_has_room)
{
    ck_assert(al_headroom_has(UINT64_MAX));
    al_headroom_begin(AL_CGROUP_UNLIMITED, most);
    ck_assert(al_headroom_has(UINT64_MAX));
    ck_assert(al_headroom_has_later(UINT64_MAX));
    ck_assert(al_headroom_spares(UINT64_MAX, AL_HEADROOM_STACK));
    ck_assert_uint_eq(al_headroom_left(), UINT64_MAX);
    ck_assert_uint_eq(al_headroom_share(SIZE_MAX), SIZE_MAX);
    ck_assert_uint_eq(cgroup.finds + cgroup.looks + cgroup.sums, 0);
}
END_TEST

START_TEST(what_others_use_is_not_left)
{
    cgroup.used = 50 * mib;
    al_headroom_begin(100 * mib, most);
    ck_assert(!al_headroom_has(41 * mib));
    ck_assert(al_headroom_has(39 * mib));
    cgroup.used = 95 * mib;
    al_headroom_begin(100 * mib, most);
    ck_assert(!al_headroom_has(1));
    ck_assert_uint_eq(al_headroom_left(), 0);
    al_headroom_begin(100 * mib, 100);
    ck_assert(al_headroom_has(4 * mib));
}
END_TEST

START_TEST(what_can_be_dropped_is_looked_at_where_it_matters)
{
    cgroup.used = 99 * mib;
    cgroup.droppable = 59 * mib;
    al_headroom_begin(100 * mib, most);
    ck_assert(al_headroom_has(40 * mib));
    ck_assert_uint_eq(cgroup.sums, 1);
    cgroup.used = 10 * mib;
    al_headroom_begin(100 * mib, most);
    ck_assert(al_headroom_has(40 * mib));
    ck_assert_uint_eq(cgroup.sums, 1);
    cgroup.droppable = 200 * mib; /* counted at another moment */
    ck_assert_uint_le(al_headroom_left(), 90 * mib);
}
END_TEST

START_TEST(a_look_is_good_for_a_little_more)
{
    al_headroom_begin(100 * mib, most);
    ck_assert(al_headroom_has(26 * mib));
    ck_assert_uint_eq(cgroup.looks, 1);
    ck_assert(al_headroom_has(mib / 2));
    ck_assert(al_headroom_has(mib / 2));
    ck_assert_uint_eq(cgroup.looks, 1);
    ck_assert(al_headroom_has(1));
    ck_assert_uint_eq(cgroup.looks, 2);
}
END_TEST

START_TEST(begun_anew_it_is_looked_at_anew)
{
    al_headroom_begin(100 * mib, most);
    ck_assert(al_headroom_has(26 * mib));
    al_headroom_begin(100 * mib, most);
    ck_assert(al_headroom_has(1));
    ck_assert_uint_eq(cgroup.looks, 2);
    ck_assert_uint_eq(cgroup.finds, 1);
    al_headroom_begin(200 * mib, most);
    ck_assert_uint_eq(cgroup.finds, 2);
    al_headroom_end();
    ck_assert(al_headroom_has(UINT64_MAX));
}
END_TEST

/* Nearly at once: what does not fit is not looked for again, what would have fitted is. */
START_TEST(where_there_was_no_room)
{
    cgroup.used = 89 * mib;
    al_headroom_begin(100 * mib, most);
    ck_assert(!al_headroom_has(2 * mib));
    for (int i = 0; i < 10; i++)
        (void)al_headroom_has(3 * mib);
    ck_assert_uint_lt(cgroup.looks, 11);
    ck_assert(al_headroom_has(mib));
}
END_TEST

START_TEST(room_for_later_is_room_for_several)
{
    cgroup.used = 50 * mib;
    al_headroom_begin(100 * mib, most);
    ck_assert(!al_headroom_has_later(11 * mib));
    ck_assert(al_headroom_has_later(10 * mib));
    ck_assert(!al_headroom_has_later(UINT64_MAX / 2));
}
END_TEST

/* 90 MiB are to be in use at most, and half of them is left. */
START_TEST(what_nobody_may_touch_leaves_room_for_what_is)
{
    al_headroom_begin(100 * mib, most);
    ck_assert(al_headroom_spares(46 * mib, AL_HEADROOM_REGION));
    al_headroom_spare(true);
    ck_assert(al_headroom_spares(11 * mib, AL_HEADROOM_REGION));
    ck_assert(!al_headroom_spares(12 * mib, AL_HEADROOM_REGION));
    ck_assert(al_headroom_spares(mib, AL_HEADROOM_STACK));
    ck_assert(!al_headroom_spares(2 * mib, AL_HEADROOM_STACK));
    cgroup.used = 41 * mib;
    al_headroom_begin(100 * mib, most);
    ck_assert(al_headroom_spares(4 * mib, AL_HEADROOM_REGION));
    ck_assert(!al_headroom_spares(5 * mib, AL_HEADROOM_REGION));
    ck_assert(!al_headroom_spares(UINT64_MAX, AL_HEADROOM_REGION));
    ck_assert(!al_headroom_spares(UINT64_MAX / 8 + 1, AL_HEADROOM_REGION));
    ck_assert(al_headroom_has(8 * mib));
}
END_TEST

/* What does not fit is swapped, as long as it is not locked. */
START_TEST(where_it_may_swap_nothing_is_spared)
{
    static const struct {
        uint64_t machine;
        uint64_t cgroup;
        bool spared;
    } swaps[] = {{0, UINT64_MAX, true},
                 {99 * mib, UINT64_MAX, true},
                 {100 * mib, UINT64_MAX, false},
                 {1000 * mib, 99 * mib, true},
                 {1000 * mib, 100 * mib, false}};

    swap = swaps[_i].machine;
    cgroup.swap = swaps[_i].cgroup;
    al_headroom_spare(true);
    al_headroom_begin(100 * mib, most);
    ck_assert(al_headroom_spares(46 * mib, AL_HEADROOM_REGION) != swaps[_i].spared);
    ck_assert(al_headroom_swaps() != swaps[_i].spared);
}
END_TEST

/* The machine has less than it takes, whatever the cgroup's limit is. */
START_TEST(much_is_held_against_the_machine)
{
    available = 100 * mib;
    ck_assert(al_headroom_spares(91 * mib, AL_HEADROOM_REGION));
    al_headroom_spare(true);
    ck_assert(al_headroom_spares(90 * mib, AL_HEADROOM_REGION));
    ck_assert(!al_headroom_spares(91 * mib, AL_HEADROOM_REGION));
    ck_assert(!al_headroom_spares(UINT64_MAX, AL_HEADROOM_REGION));
    al_headroom_begin(10000 * mib, most);
    ck_assert(!al_headroom_spares(91 * mib, AL_HEADROOM_REGION));
    ck_assert_uint_eq(cgroup.looks, 0);
    available = 10 * mib;
    ck_assert(al_headroom_spares(63 * mib, AL_HEADROOM_REGION));
}
END_TEST

START_TEST(shares)
{
    cgroup.used = 26 * mib;
    al_headroom_begin(100 * mib, most);
    ck_assert(al_headroom_has(1));
    ck_assert_uint_eq(al_headroom_share(SIZE_MAX), mib);
    ck_assert_uint_eq(al_headroom_share(4096), 4096);
    cgroup.used = 89 * mib;
    al_headroom_begin(100 * mib, most);
    ck_assert(al_headroom_has(1));
    ck_assert_uint_eq(al_headroom_share(SIZE_MAX), 64 << 10);
}
END_TEST

/* Several threads ask before what any of them has been told is in use. */
START_TEST(what_is_on_its_way_is_not_left)
{
    cgroup.used = 80 * mib;
    al_headroom_begin(100 * mib, most);
    ck_assert(al_headroom_take(4 * mib));
    ck_assert(al_headroom_take(4 * mib));
    ck_assert(!al_headroom_take(4 * mib));
    ck_assert(!al_headroom_has(3 * mib));
    ck_assert_uint_eq(al_headroom_left(), 2 * mib);
    al_headroom_taken(4 * mib);
    cgroup.used = 84 * mib;
    ck_assert_uint_eq(al_headroom_left(), 2 * mib);
    al_headroom_taken(4 * mib);
    ck_assert_uint_eq(al_headroom_left(), 6 * mib);
}
END_TEST

static uint64_t eight_mib(void)
{
    return 8 * mib;
}

START_TEST(what_is_held_back_is_not_left)
{
    cgroup.used = 80 * mib;
    al_headroom_begin(100 * mib, most);
    al_headroom_hold_back(eight_mib);
    ck_assert_uint_eq(al_headroom_left(), 2 * mib);
    ck_assert(!al_headroom_has(3 * mib));
    ck_assert(!al_headroom_take(3 * mib));
    al_headroom_hold_back(NULL);
    al_headroom_begin(100 * mib, most);
    ck_assert(al_headroom_take(3 * mib));
}
END_TEST

static void another_takes_it(void)
{
    ck_assert(al_headroom_take(8 * mib));
}

static void another_brings_it_in(void)
{
    ck_assert(al_headroom_take(8 * mib));
    cgroup.used += 8 * mib;
    al_headroom_taken(8 * mib);
}

/* Whatever it did, this one's look is of before. */
START_TEST(others_come_in_between)
{
    static void (*const others[])(void) = {another_takes_it, another_brings_it_in};

    for (unsigned i = 0; i < 2; i++) {
        cgroup.used = 80 * mib;
        cgroup.looks = 0;
        al_headroom_forked();
        al_headroom_begin(100 * mib, most);
        cgroup.meanwhile = others[i];
        ck_assert(!al_headroom_take(4 * mib));
        ck_assert_uint_eq(cgroup.looks, 3);
    }
}
END_TEST

/* By a handler that forks in the middle of it. */
START_TEST(a_child_that_says_it_is_there)
{
    cgroup.used = 80 * mib;
    al_headroom_begin(100 * mib, most);
    ck_assert(al_headroom_take(8 * mib));
    al_headroom_forked();
    al_headroom_taken(8 * mib);
    ck_assert_uint_eq(al_headroom_left(), 10 * mib);
}
END_TEST

START_TEST(a_child_brings_in_nothing)
{
    cgroup.used = 80 * mib;
    al_headroom_begin(100 * mib, most);
    ck_assert(al_headroom_take(8 * mib));
    al_headroom_forked();
    ck_assert_uint_eq(al_headroom_left(), 10 * mib);
}
END_TEST

/* After a chroot, say. */
START_TEST(what_is_not_seen_any_more)
{
    al_headroom_begin(100 * mib, most);
    cgroup.used = AL_CGROUP_UNLIMITED;
    ck_assert(al_headroom_has(1000 * mib));
    ck_assert_uint_eq(al_headroom_left(), UINT64_MAX);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("headroom");

    tcase_add_checked_fixture(tests, begin, NULL);
    tcase_add_test(tests, without_a_limit_everything_has_room);
    tcase_add_test(tests, what_others_use_is_not_left);
    tcase_add_test(tests, what_can_be_dropped_is_looked_at_where_it_matters);
    tcase_add_test(tests, a_look_is_good_for_a_little_more);
    tcase_add_test(tests, begun_anew_it_is_looked_at_anew);
    tcase_add_test(tests, where_there_was_no_room);
    tcase_add_test(tests, room_for_later_is_room_for_several);
    tcase_add_test(tests, what_nobody_may_touch_leaves_room_for_what_is);
    tcase_add_loop_test(tests, where_it_may_swap_nothing_is_spared, 0, 5);
    tcase_add_test(tests, much_is_held_against_the_machine);
    tcase_add_test(tests, shares);
    tcase_add_test(tests, what_is_on_its_way_is_not_left);
    tcase_add_test(tests, what_is_held_back_is_not_left);
    tcase_add_test(tests, others_come_in_between);
    tcase_add_test(tests, a_child_brings_in_nothing);
    tcase_add_test(tests, a_child_that_says_it_is_there);
    tcase_add_test(tests, what_is_not_seen_any_more);
    return unit_run(tests);
}
