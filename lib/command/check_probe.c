#include "check_call.h"

#include "kernel.h"
#include "privilege.h"
#include "sys.h"

#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a child has found out. */
struct answer {
    struct al_privilege privilege;
    int lock_error;
    int lockall_error;
    bool complete;
};

/*
 * What this command has by its own file, a program that is executed does not get: of a user's
 * capabilities only the ambient ones stay.
 */
static void keep_what_a_program_gets(void)
{
    static const unsigned wanted[] = {CHECK_IPC_LOCK, CHECK_SYS_RESOURCE};
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};

    if (getuid() == 0 || al_sys2(SYS_capget, &header, data))
        return;
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, wanted[i], 0, 0) != 1)
            data[0].effective &= ~(1U << wanted[i]);
    (void)al_sys2(SYS_capset, &header, data);
}

static int lock_a_page(unsigned flags)
{
    size_t size = al_page_size();
    void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int error;

    if (page == MAP_FAILED)
        return -errno;
    error = al_kernel_try_mlock2(page, size, flags & AL_FLAG_ONFAULT ? AL_MLOCK_ONFAULT : 0);
    (void)munmap(page, size);
    return error;
}

/* On fault, so that nothing is brought in for it. */
static int lock_all(void)
{
    int error = al_kernel_mlockall(AL_MCL_CURRENT | AL_MCL_ONFAULT);

    if (error == -EINVAL)
        error = al_kernel_mlockall(AL_MCL_FUTURE); /* before Linux 4.4 */
    return error;
}

static void ask(struct answer *answer, const struct al_config *config)
{
    keep_what_a_program_gets();
    answer->privilege = al_privilege_read();
    if (config->mode != AL_MODE_OBSERVE)
        al_privilege_raise(&answer->privilege);
    answer->lock_error = lock_a_page(config->flags);
    if (answer->privilege.exempt)
        answer->lockall_error = lock_all();
    answer->complete = true;
}

/*
 * A filter may kill who locks, and a limit that was raised stays so: a child tries, as the library
 * does at its start.
 */
void check_probe(struct check_surroundings *surroundings, const struct al_config *config)
{
    struct answer *answer =
        mmap(NULL, sizeof(*answer), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct rlimit limit;
    int status = 0;
    pid_t child;

    if (answer == MAP_FAILED)
        return;
    /* Also where there is no /proc. */
    if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0) {
        surroundings->soft_limit = limit.rlim_cur;
        surroundings->hard_limit = limit.rlim_max;
    }
    child = fork();
    if (child == 0) {
        ask(answer, config);
        _exit(0);
    }
    if (child > 0)
        while (waitpid(child, &status, 0) < 0 && errno == EINTR)
            ;
    if (child > 0 && WIFSIGNALED(status))
        surroundings->killed_by = WTERMSIG(status);
    if (answer->complete) {
        surroundings->limit_that_holds = answer->privilege.soft_limit;
        surroundings->exempt = answer->privilege.exempt;
        if (answer->privilege.capable)
            surroundings->cap_effective |= UINT64_C(1) << CHECK_IPC_LOCK;
        surroundings->lock_error = answer->lock_error;
        surroundings->lockall_error = answer->lockall_error;
    }
    (void)munmap(answer, sizeof(*answer));
}
