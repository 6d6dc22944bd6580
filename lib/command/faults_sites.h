/* From groups of addresses to places that have names. */
#ifndef AL_FAULTS_SITES_H
#define AL_FAULTS_SITES_H

#include "faults_process.h"
#include "run_faults.h"

/* Adds what the process has counted. */
void faults_sites_add(struct run_fault_sites *sites, const struct faults_process *process);

/* Puts together what has the same name, worst first. */
void faults_sites_finish(struct run_fault_sites *sites);

#endif
