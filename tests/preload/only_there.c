/* A library in a directory that only the RUNPATH of who opens it names. */
const char *where_am_i(void);
const char *where_am_i(void)
{
    return ONLY_THERE;
}
