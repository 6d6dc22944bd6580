#include "inside.h"

__thread unsigned al_inside_depth __attribute__((tls_model("initial-exec")));
