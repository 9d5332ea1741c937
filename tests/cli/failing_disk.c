/* A disk that reports errors late: data written to a regular file is lost, and the call that FAIL names (`close` or
   `fsync`) reports it. For LD_PRELOAD. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int loses(const char *call, int fd) {
  const char *failing = getenv("FAIL");
  struct stat file;
  if (!failing || strcmp(failing, call)) return 0;
  if ((fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY) return 0;
  if (fstat(fd, &file) || !S_ISREG(file.st_mode) || file.st_size == 0) return 0;
  return ftruncate(fd, 0) == 0;
}

static int failed(void) {
  errno = getenv("QUOTA") ? EDQUOT : EIO;
  return -1;
}

int close(int fd) {
  int lost = loses("close", fd), result = syscall(SYS_close, fd);
  return lost ? failed() : result;
}

int fsync(int fd) { return loses("fsync", fd) ? failed() : syscall(SYS_fsync, fd); }

int fdatasync(int fd) { return loses("fsync", fd) ? failed() : syscall(SYS_fdatasync, fd); }
