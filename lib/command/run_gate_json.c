#include "run_gate_json.h"

#include "memory.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

#define GATE_SCHEMA "autolock-gate/1"

/* Each byte of a text may be written as six; all else of an object takes less than this. */
enum { ESCAPED = 6, REST_BYTES = 512 };

static size_t room_for(const struct run_verdict *verdict, const struct run_about *about)
{
    size_t bytes = REST_BYTES + ESCAPED * (strlen(verdict->program) + strlen(about->ended));

    for (size_t i = 0; i < verdict->count; i++)
        bytes += REST_BYTES + ESCAPED * strlen(verdict->list[i].expected);
    return bytes;
}

static void member_text(struct al_text *text, const char *name, const char *value)
{
    al_text_json_key(text, name);
    al_text_json(text, value);
}

/* What is written without quotes. */
static void member(struct al_text *text, const char *name, const char *value)
{
    al_text_json_key(text, name);
    al_text_string(text, value);
}

static void member_count(struct al_text *text, const char *name, size_t count)
{
    al_text_json_key(text, name);
    al_text_u64(text, count);
}

static void add_judged(struct al_text *text, const struct run_judged *judged)
{
    al_text_char(text, '{');
    member_text(text, "expected", judged->expected);
    member_text(text, "name", judged->name);
    member(text, "measured", judged->number ? judged->number : "null");
    member_text(text, "unit", judged->unit);
    member(text, "ok", judged->holds ? "true" : "false");
    al_text_char(text, '}');
}

void run_verdict_print_json(const struct run_verdict *verdict, const struct run_about *about,
                            FILE *to)
{
    size_t room = room_for(verdict, about);
    char *bytes = allocate(room);
    struct al_text text = al_text_over(bytes, room);

    al_text_char(&text, '{');
    member_text(&text, "schema", GATE_SCHEMA);
    member_text(&text, "version", AL_VERSION);
    member_text(&text, "program", verdict->program);
    member_text(&text, "ended", about->ended);
    member(&text, "tree", about->tree ? "true" : "false");
    member_count(&text, "passed", verdict->count - verdict->failed);
    member_count(&text, "failed", verdict->failed);
    al_text_json_key(&text, "expectations");
    al_text_char(&text, '[');
    for (size_t i = 0; i < verdict->count; i++) {
        if (i)
            al_text_char(&text, ',');
        add_judged(&text, &verdict->list[i]);
    }
    al_text_string(&text, "]}\n");
    (void)fwrite(bytes, 1, text.length, to);
    free(bytes);
}
