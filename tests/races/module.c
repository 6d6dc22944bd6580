/* A library with data of its own, to be loaded and unloaded. */

enum { PAGES = 24 };

static char data[PAGES * 4096] = {1};

char *module_data(unsigned long *ret_length);

char *module_data(unsigned long *ret_length)
{
    *ret_length = sizeof(data);
    return data;
}
