/* Loaded into the server before the C library: while the file named by PAPO_PROVA_EIO exists, no sync succeeds, as on a
   disk with a bad sector. What was written stays where it is. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static int sync_unless_failing(const char *name, int fd)
{
    const char *flag = getenv("PAPO_PROVA_EIO");
    if (flag != NULL && access(flag, F_OK) == 0) {
        errno = EIO;
        return -1;
    }
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    return real(fd);
}

int fsync(int fd)
{
    return sync_unless_failing("fsync", fd);
}

int fdatasync(int fd)
{
    return sync_unless_failing("fdatasync", fd);
}
