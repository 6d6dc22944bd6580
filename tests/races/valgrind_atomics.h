/*
 * Included before every file of the library where it is built for helgrind and DRD
 * (AUTOLOCK_VALGRIND), and nowhere else. These tools do not know the compiler's atomic functions;
 * so each is told to them as what it is:
 *
 *   - what an atomic function is used on is no data race, from then on;
 *   - what releases happens before what acquires.
 *
 * Everything else stays as it is, and is checked: data that is changed without an atomic function
 * has to be ordered by those, as by the gate. Nothing is suppressed by name.
 */
#ifndef VALGRIND_ATOMICS_H
#define VALGRIND_ATOMICS_H

#pragma GCC system_header

#include <stddef.h>
#include <valgrind/drd.h>
#include <valgrind/helgrind.h>

static inline __attribute__((always_inline)) void vg_lock_free(const volatile void *at, size_t size)
{
    VALGRIND_DO_CLIENT_REQUEST_STMT(_VG_USERREQ__HG_ARANGE_MAKE_UNTRACKED, at, size, 0, 0, 0);
    VALGRIND_DO_CLIENT_REQUEST_STMT(VG_USERREQ__DRD_START_SUPPRESSION, at, size, 0, 0, 0);
}

static inline __attribute__((always_inline)) void vg_before(const volatile void *at, int order)
{
    if (order == __ATOMIC_RELAXED || order == __ATOMIC_ACQUIRE)
        return;
    VALGRIND_DO_CLIENT_REQUEST_STMT(_VG_USERREQ__HG_USERSO_SEND_PRE, at, 0, 0, 0, 0);
    VALGRIND_DO_CLIENT_REQUEST_STMT(VG_USERREQ__DRD_ANNOTATE_HAPPENS_BEFORE, at, 0, 0, 0, 0);
}

static inline __attribute__((always_inline)) void vg_after(const volatile void *at, int order)
{
    if (order == __ATOMIC_RELAXED || order == __ATOMIC_RELEASE)
        return;
    VALGRIND_DO_CLIENT_REQUEST_STMT(_VG_USERREQ__HG_USERSO_RECV_POST, at, 0, 0, 0, 0);
    VALGRIND_DO_CLIENT_REQUEST_STMT(VG_USERREQ__DRD_ANNOTATE_HAPPENS_AFTER, at, 0, 0, 0, 0);
}

/* The pointer is looked at once; `function` is the compiler's, as a macro is not expanded in
 * itself. */
#define VG_ATOMIC(pointer, order, call)                                                            \
    ({                                                                                             \
        __auto_type vg_pointer = (pointer);                                                        \
        vg_lock_free(vg_pointer, sizeof(*vg_pointer));                                             \
        vg_before(vg_pointer, order);                                                              \
        __auto_type vg_result = call;                                                              \
        vg_after(vg_pointer, order);                                                               \
        vg_result;                                                                                 \
    })

#define __atomic_load_n(pointer, order)                                                            \
    VG_ATOMIC(pointer, (order) == __ATOMIC_SEQ_CST ? __ATOMIC_ACQUIRE : (order),                   \
              __atomic_load_n(vg_pointer, order))
#define __atomic_store_n(pointer, value, order)                                                    \
    ({                                                                                             \
        __auto_type vg_pointer = (pointer);                                                        \
        vg_lock_free(vg_pointer, sizeof(*vg_pointer));                                             \
        vg_before(vg_pointer, order);                                                              \
        __atomic_store_n(vg_pointer, value, order);                                                \
    })
#define __atomic_exchange_n(pointer, value, order)                                                 \
    VG_ATOMIC(pointer, order, __atomic_exchange_n(vg_pointer, value, order))
#define __atomic_compare_exchange_n(pointer, expected, value, weak, order, failed)                 \
    VG_ATOMIC(pointer, order,                                                                      \
              __atomic_compare_exchange_n(vg_pointer, expected, value, weak, order, failed))
#define __atomic_fetch_add(pointer, value, order)                                                  \
    VG_ATOMIC(pointer, order, __atomic_fetch_add(vg_pointer, value, order))
#define __atomic_fetch_sub(pointer, value, order)                                                  \
    VG_ATOMIC(pointer, order, __atomic_fetch_sub(vg_pointer, value, order))
#define __atomic_fetch_or(pointer, value, order)                                                   \
    VG_ATOMIC(pointer, order, __atomic_fetch_or(vg_pointer, value, order))
#define __atomic_fetch_and(pointer, value, order)                                                  \
    VG_ATOMIC(pointer, order, __atomic_fetch_and(vg_pointer, value, order))
#define __atomic_xor_fetch(pointer, value, order)                                                  \
    VG_ATOMIC(pointer, order, __atomic_xor_fetch(vg_pointer, value, order))
#define __atomic_add_fetch(pointer, value, order)                                                  \
    VG_ATOMIC(pointer, order, __atomic_add_fetch(vg_pointer, value, order))

#endif
