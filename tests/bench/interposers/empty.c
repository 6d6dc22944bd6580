/* Nothing at all: what it costs to have one more library loaded. */
_Static_assert(1, "a translation unit may not be empty");
