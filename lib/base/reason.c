#include "reason.h"

#include <errno.h>
#include <stddef.h>

static const char *reason_of(int error)
{
    switch (-error) {
    case EACCES:
    case EPERM:
        return "permission denied";
    case EEXIST:
        return "there is a file of that name already";
    case ENOENT:
        return "no such directory";
    case ENOTDIR:
        return "a part of the path is no directory";
    case EISDIR:
        return "it is a directory";
    case ELOOP:
        return "it is a symbolic link, which is not followed";
    case EMLINK:
        return "it has another name as well (a hard link), and may be any file";
    case ESTALE:
        return "somebody has taken it away meanwhile";
    case ENXIO:
    case EAGAIN:
        return "nobody reads it";
    case EBUSY:
        return "it is a mount point, which cannot be replaced";
    case ENOSPC:
        return "no space left";
    case EDQUOT:
        return "the quota is used up";
    case EFBIG:
        return "the file size limit is reached";
    case ENODEV:
        return "files there cannot be mapped";
    case EROFS:
        return "the file system is read-only";
    case ENAMETOOLONG:
        return "the name is too long";
    case EMFILE:
    case ENFILE:
        return "no descriptor left";
    case EIO:
        return "input/output error";
    default:
        return NULL;
    }
}

void al_reason_print(struct al_text *text, int error)
{
    const char *reason = reason_of(error);

    if (reason) {
        al_text_string(text, reason);
        return;
    }
    al_text_string(text, "errno ");
    al_text_i64(text, -error);
}
