/* The options of `autolock run` that are not the library's. */
#ifndef AL_CALL_RUN_H
#define AL_CALL_RUN_H

enum call_run_option {
    RUN_OPTION_LIBRARY = 1,
    RUN_OPTION_MEMLOCK,
    RUN_OPTION_AMBIENT,
    RUN_OPTION_REQUIRE,
    RUN_OPTION_INIT,
    RUN_OPTION_DEATH_SIGNAL,
    RUN_OPTION_EXPECT,
    RUN_OPTION_TREE,
    RUN_OPTION_WARMUP,
    RUN_OPTION_DURATION,
    RUN_OPTION_JSON,
    RUN_OPTION_JUNIT,
    RUN_OPTION_FAULTS
};

#endif
