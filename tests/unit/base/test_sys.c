#include "sys.h"
#include "unit.h"

#include <fcntl.h>
#include <sys/mman.h>

START_TEST(answers_are_the_kernels)
{
    ck_assert_int_eq(al_sys0(SYS_getpid), getpid());
    errno = 1234;
    ck_assert_int_eq(al_sys1(SYS_close, -1), -EBADF);
    ck_assert_int_eq(errno, 1234);
}
END_TEST

START_TEST(all_six_arguments_arrive)
{
    size_t page = al_page_size();
    int fd = open("mapped", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    char *start;

    ck_assert_int_eq(ftruncate(fd, (off_t)(3 * page)), 0);
    ck_assert_int_eq(pwrite(fd, "third", 5, (off_t)(2 * page)), 5);
    start = (char *)al_sys_mmap(NULL, page, PROT_READ, MAP_PRIVATE, fd, (int64_t)(2 * page));
    ck_assert(!al_sys_failed((long)start));
    ck_assert_str_eq(start, "third");
    ck_assert_int_eq(al_sys2(SYS_munmap, start, page), 0);
}
END_TEST

START_TEST(failures_are_told_from_addresses)
{
    ck_assert(al_sys_failed(-1));
    ck_assert(al_sys_failed(-AL_MAX_ERRNO));
    ck_assert(!al_sys_failed(-AL_MAX_ERRNO - 1));
    ck_assert(!al_sys_failed(0));
    ck_assert(!al_sys_failed(1));
    ck_assert(al_sys_failed(al_sys_mmap(NULL, 0, PROT_READ, MAP_PRIVATE, -1, 0)));
}
END_TEST

START_TEST(page_size)
{
    ck_assert_int_eq((long)al_page_size(), sysconf(_SC_PAGESIZE));
    ck_assert_uint_eq(al_page_size(), al_page_size());
}
END_TEST

START_TEST(time_goes_on)
{
    uint64_t begin = al_now_ns();

    ck_assert_uint_gt(begin, 0);
    usleep(20000);
    ck_assert_uint_ge(al_now_ns() - begin, 20000000);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("sys");

    unit_in_directory(tests);
    tcase_add_test(tests, answers_are_the_kernels);
    tcase_add_test(tests, all_six_arguments_arrive);
    tcase_add_test(tests, failures_are_told_from_addresses);
    tcase_add_test(tests, page_size);
    tcase_add_test(tests, time_goes_on);
    return unit_run(tests);
}
