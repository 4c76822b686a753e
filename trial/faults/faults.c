/*
 * A disk that fails, for a process that does not know it: loaded before the C library (LD_PRELOAD), it stands between a program and
 * the calls that touch files, and does to some of them what another process says while this one runs.
 *
 * What to do is written in a page of memory that both share, a file named by FAULTS_PAGE; Go's internal/faults is the other side.
 * Counted are calls of the kinds asked for, on files whose path contains the pattern. Of these the n-th, or all from there on,
 * fail with an error number; each may be held back before it is done. A write that fails has written its first half, as a disk
 * may have. Without FAULTS_PAGE nothing is done to anybody.
 *
 * Linux with glibc, 64 bits. A program that makes system calls by itself, as Go's do, is not reached.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* The kinds of calls, as bits; one call may be of several. GROW is what takes space: a new file, or a write into a hole or beyond the end. */
enum kind { WRITE = 1, SYNC = 2, NAME = 4, READ = 8, GROW = 16 };

/* The layout is known to internal/faults. All numbers are little-endian, as the machines are that this is for. */
struct page {
    _Atomic uint64_t kinds; /* what is touched at all; set last, 0 first */
    uint64_t delay_micros;  /* before each call */
    uint64_t error;         /* errno, 0 for none */
    uint64_t first;         /* the first call that fails, from 1 */
    uint64_t count;         /* how many fail from there on */
    _Atomic uint64_t calls; /* that were counted */
    _Atomic uint64_t failed;
    char pattern[4096 - 7 * 8];
};

static struct page *page;

/* The function of the C library that ours hides. */
#define NEXT(function) ((__typeof__(function) *) next(#function))

static void *next(const char *name) {
    void *found = dlsym(RTLD_NEXT, name);
    if (found == NULL) {
        abort();
    }
    return found;
}

__attribute__((constructor)) static void share(void) {
    const char *path = getenv("FAULTS_PAGE");
    if (path == NULL) {
        return;
    }
    int fd = NEXT(open)(path, O_RDWR | O_CLOEXEC);
    void *shared = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (shared == MAP_FAILED) {
        fprintf(stderr, "faults: %s cannot be shared: %s\n", path, strerror(errno));
        _exit(97);
    }
    close(fd);
    page = shared;
}

/* Counts a call, holds it back, and says with which error it is to fail, 0 if it is not. */
static int fault_of_path(unsigned kind, const char *path) {
    if (page == NULL || !(atomic_load(&page->kinds) & kind) || strstr(path, page->pattern) == NULL) {
        return 0;
    }
    uint64_t number = atomic_fetch_add(&page->calls, 1) + 1;
    struct timespec left = {(time_t) (page->delay_micros / 1000000), (long) (page->delay_micros % 1000000) * 1000};
    while ((left.tv_sec > 0 || left.tv_nsec > 0) && nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
    if (page->error == 0 || number < page->first || number - page->first >= page->count) {
        return 0;
    }
    atomic_fetch_add(&page->failed, 1);
    return (int) page->error;
}

static int fault_of_file(unsigned kind, int fd) {
    if (page == NULL || !(atomic_load(&page->kinds) & kind)) {
        return 0;
    }
    char link[32], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0 || path[0] != '/') {
        return 0; /* a socket, a pipe */
    }
    path[length] = '\0';
    return fault_of_path(kind, path);
}

/* What a write to a place is. Behind the end is a hole, too. The file's own position stays where it is. */
static unsigned write_to(int fd, off64_t position, off64_t length) {
    if (page == NULL || !(atomic_load(&page->kinds) & GROW)) {
        return WRITE;
    }
    off64_t before = lseek64(fd, 0, SEEK_CUR);
    off64_t hole = lseek64(fd, position, SEEK_HOLE);
    lseek64(fd, before, SEEK_SET);
    return hole < position + length ? WRITE | GROW : WRITE;
}

static off64_t length_of(const struct iovec *pieces, int count) {
    off64_t sum = 0;
    for (int i = 0; i < count; i++) {
        sum += (off64_t) pieces[i].iov_len;
    }
    return sum;
}

static int fail(int error) {
    errno = error;
    return -1;
}

/* ---- writing */

/* Where it writes is not asked for: at the end, most likely. */
ssize_t write(int fd, const void *bytes, size_t length) {
    int error = fault_of_file(WRITE | GROW, fd);
    if (error == 0) {
        return NEXT(write)(fd, bytes, length);
    }
    if (NEXT(write)(fd, bytes, length / 2) < 0) {
        return -1;
    }
    return fail(error);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t position) {
    int error = fault_of_file(write_to(fd, position, (off64_t) length), fd);
    if (error == 0) {
        return NEXT(pwrite64)(fd, bytes, length, position);
    }
    if (NEXT(pwrite64)(fd, bytes, length / 2, position) < 0) {
        return -1;
    }
    return fail(error);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t position) {
    return pwrite64(fd, bytes, length, position);
}

ssize_t writev(int fd, const struct iovec *pieces, int count) {
    int error = fault_of_file(WRITE | GROW, fd);
    return error == 0 ? NEXT(writev)(fd, pieces, count) : fail(error);
}

ssize_t pwritev64(int fd, const struct iovec *pieces, int count, off64_t position) {
    int error = fault_of_file(write_to(fd, position, length_of(pieces, count)), fd);
    return error == 0 ? NEXT(pwritev64)(fd, pieces, count, position) : fail(error);
}

ssize_t pwritev(int fd, const struct iovec *pieces, int count, off_t position) {
    return pwritev64(fd, pieces, count, position);
}

int ftruncate64(int fd, off64_t length) {
    int error = fault_of_file(WRITE, fd);
    return error == 0 ? NEXT(ftruncate64)(fd, length) : fail(error);
}

int ftruncate(int fd, off_t length) {
    return ftruncate64(fd, length);
}

/* ---- making durable */

int fsync(int fd) {
    int error = fault_of_file(SYNC, fd);
    return error == 0 ? NEXT(fsync)(fd) : fail(error);
}

int fdatasync(int fd) {
    int error = fault_of_file(SYNC, fd);
    return error == 0 ? NEXT(fdatasync)(fd) : fail(error);
}

/* ---- names */

static int open_file(const char *path, int flags, mode_t mode) {
    int error = (flags & O_CREAT) != 0 ? fault_of_path(NAME | GROW, path) : 0;
    return error == 0 ? NEXT(open64)(path, flags, mode) : fail(error);
}

int open64(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
    va_end(more);
    return open_file(path, flags, mode);
}

int open(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
    va_end(more);
    return open_file(path, flags, mode);
}

int rename(const char *from, const char *to) {
    int error = fault_of_path(NAME, to);
    return error == 0 ? NEXT(rename)(from, to) : fail(error);
}

int unlink(const char *path) {
    int error = fault_of_path(NAME, path);
    return error == 0 ? NEXT(unlink)(path) : fail(error);
}

int mkdir(const char *path, mode_t mode) {
    int error = fault_of_path(NAME, path);
    return error == 0 ? NEXT(mkdir)(path, mode) : fail(error);
}

/* ---- reading */

ssize_t read(int fd, void *bytes, size_t length) {
    int error = fault_of_file(READ, fd);
    return error == 0 ? NEXT(read)(fd, bytes, length) : fail(error);
}

ssize_t pread64(int fd, void *bytes, size_t length, off64_t position) {
    int error = fault_of_file(READ, fd);
    return error == 0 ? NEXT(pread64)(fd, bytes, length, position) : fail(error);
}

ssize_t pread(int fd, void *bytes, size_t length, off_t position) {
    return pread64(fd, bytes, length, position);
}
