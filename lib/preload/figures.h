/*
 * What the hooks know, for the report (struct al_run, figures).
 */
#ifndef AL_FIGURES_H
#define AL_FIGURES_H

#include "fields.h"

void al_figures_fill(uint64_t field[AL_FIELD_TOTAL]);

#endif
