/*
 * A library to be loaded late: code, constants, data and bss, each of several pages.
 */
enum { BYTES = 5 * 4096 };

extern char module_data[BYTES];
extern char module_bss[BYTES];
extern const char module_constant[BYTES];
int module_code(int value);

char module_data[BYTES] = {1};
char module_bss[BYTES];
const char module_constant[BYTES] = {1};

int module_code(int value)
{
    return module_constant[value] + module_data[value] + module_bss[value];
}
