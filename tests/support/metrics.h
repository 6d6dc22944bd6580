#ifndef METRICS_H
#define METRICS_H

/* Prints the table of metrics. */
void print_metrics(void);

#endif
