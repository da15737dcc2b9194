/* The wall clock of a process moved by the seconds that stand in OFFSET_FILE, as if somebody had set it.

   Loaded in front of libc (LD_PRELOAD). Clocks that nobody can set stay as they are. Times of files move along, so that
   a file that was just written looks so; values that are no time of day (gunicorn keeps others there) stay. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define TIME_OF_DAY 1000000000

static long offset(void) {
    char text[32];
    int file = open(OFFSET_FILE, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    if (length <= 0) return 0;
    text[length] = 0;
    return atol(text);
}

#define REAL(name) \
    static typeof(name) *real; \
    if (!real) real = (typeof(name) *)dlsym(RTLD_NEXT, #name)

int clock_gettime(clockid_t clock, struct timespec *at) {
    REAL(clock_gettime);
    int answer = real(clock, at);
    if (answer == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) at->tv_sec += offset();
    return answer;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone) {
    REAL(gettimeofday);
    int answer = real(at, zone);
    if (answer == 0) at->tv_sec += offset();
    return answer;
}

time_t time(time_t *kept) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (kept) *kept = now.tv_sec;
    return now.tv_sec;
}

/* Its limit is a moment that the caller has reckoned from the moved clock; the kernel's is not moved. */
int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict until) {
    REAL(sem_timedwait);
    struct timespec limit = *until;
    limit.tv_sec -= offset();
    return real(semaphore, &limit);
}

static void move(struct timespec *at) {
    if (at->tv_sec > TIME_OF_DAY) at->tv_sec += offset();
}

#define MOVED(name, kind, parameters, ...) \
    int name parameters { \
        REAL(name); \
        int answer = real(__VA_ARGS__); \
        if (answer == 0) { move(&found->st_mtim); move(&found->st_ctim); move(&found->st_atim); } \
        return answer; \
    }

MOVED(stat, struct stat, (const char *restrict path, struct stat *restrict found), path, found)
MOVED(lstat, struct stat, (const char *restrict path, struct stat *restrict found), path, found)
MOVED(fstat, struct stat, (int file, struct stat *found), file, found)
MOVED(fstatat, struct stat, (int at, const char *restrict path, struct stat *restrict found, int flags), at, path, found, flags)
MOVED(stat64, struct stat64, (const char *restrict path, struct stat64 *restrict found), path, found)
MOVED(lstat64, struct stat64, (const char *restrict path, struct stat64 *restrict found), path, found)
MOVED(fstat64, struct stat64, (int file, struct stat64 *found), file, found)
MOVED(fstatat64, struct stat64, (int at, const char *restrict path, struct stat64 *restrict found, int flags), at, path, found, flags)
