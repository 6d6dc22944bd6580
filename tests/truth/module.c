/* A library to be loaded, with segments of every sort. */
const char module_constants[10000] = "constant";
char module_variables[10000] = "variable";
char module_zeros[100000];

int module_function(void);

int module_function(void)
{
    return module_constants[0] + module_variables[0] + module_zeros[0];
}
