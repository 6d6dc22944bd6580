"""One module a suite.

    UNITS           what can be run by itself: names
    prepare(place)  fetches and builds what the suite is made of, and returns that; Skip if it cannot be had
    run(cell, material, units) -> {test: outcome}   an outcome is a word to be compared with the bare run's;
                    a test is named UNIT or UNIT/TEST
    run_only(cell, material, units, tests)      optional: of these units only these tests
    user_of(user)                               optional: who runs it in his place
    SMALL                                       optional: units for the normal run
"""
