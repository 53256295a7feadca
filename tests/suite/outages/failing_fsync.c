/* A disk that does not keep what it is given, for LD_PRELOAD: while there is a file named by
 * FAILING_FSYNC, waiting for the disk fails. Its first letter says for what: `f` for files, `d` for
 * directories. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int fails(int file)
{
    const char *path = getenv("FAILING_FSYNC");
    int trigger = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (trigger < 0)
        return 0;
    char what = 0;
    ssize_t length = read(trigger, &what, 1);
    close(trigger);
    struct stat status;
    if (length != 1 || fstat(file, &status) != 0)
        return 0;
    return what == (S_ISDIR(status.st_mode) ? 'd' : 'f');
}

static int sync_with(long call, int file)
{
    if (fails(file)) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(call, file);
}

int fsync(int file)
{
    return sync_with(SYS_fsync, file);
}

int fdatasync(int file)
{
    return sync_with(SYS_fdatasync, file);
}
