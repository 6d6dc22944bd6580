#include "announce.h"

static void add_flags(struct al_text *text, unsigned flags)
{
    static const char names[][8] = {"current", "future", "onfault"};
    const char *separator = "";

    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (!(flags >> i & 1))
            continue;
        al_text_string(text, separator);
        al_text_string(text, names[i]);
        separator = ",";
    }
}

static void add_what(struct al_text *text, const struct al_announcement *announcement)
{
    const struct al_config *config = announcement->config;
    bool all = config->mode == AL_MODE_ALL;

    if (config->mode == AL_MODE_OBSERVE) {
        al_text_string(text, "nothing is locked in mode observe");
        return;
    }
    if (!announcement->locks) {
        al_text_string(text, "nothing is locked");
        return;
    }
    if (all)
        al_text_string(text, "all memory is");
    else
        al_option_print(text, &al_options[AL_OPTION_ID_KINDS], config);
    al_text_string(text,
                   announcement->flags ? " locked by mlockall (" : " locked region by region (");
    add_flags(text, announcement->flags ? announcement->flags : config->flags);
    al_text_char(text, ')');
}

void al_announce(struct al_text *text, const struct al_announcement *announcement)
{
    al_text_string(text, "libautolock: ");
    al_text_printable(text, announcement->program, 64);
    al_text_string(text, ": ");
    add_what(text, announcement);
    if (announcement->soft_limit == UINT64_MAX) {
        al_text_string(text, "; there is no limit of locked memory\n");
        return;
    }
    al_text_string(text, "; the limit of locked memory is ");
    al_text_size(text, announcement->soft_limit);
    al_text_string(text, announcement->exempt ? ", and does not hold\n" : "\n");
}
