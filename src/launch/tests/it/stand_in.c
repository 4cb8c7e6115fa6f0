/* Two parts of the tests. As "orrery-session": says on descriptor 0 what it was given. Otherwise the caller:
 * stand_in ATTACK UID makes itself as nasty as ATTACK says, becomes UID, and executes orrery-launch. */
#define _GNU_SOURCE
#include <errno.h>
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

extern char **environ;
static const char *const launch = "/usr/lib/orrery/orrery-launch";

static void file(FILE *out, const char *path, const char *only) {
  char line[4096];
  FILE *in = fopen(path, "r");
  while (in && fgets(line, sizeof line, in))
    if (!only || strstr(only, strtok(strdup(line), ":"))) fputs(line, out);
  if (in) fclose(in);
}

static int session(char **argv) {
  FILE *out = tmpfile();
  for (int i = 0; argv[i]; i++) fprintf(out, "argument=%s\n", argv[i]);
  for (char **variable = environ; *variable; variable++) fprintf(out, "variable=%s\n", *variable);
  char folder[4096] = "", link[64], target[4096];
  if (!getcwd(folder, sizeof folder)) strcpy(folder, strerror(errno));
  mode_t mask = umask(0);
  struct itimerval timer;
  for (int which = 0; which < 3; which++) {
    getitimer(which, &timer);
    fprintf(out, "timer=%ld\n", (long)timer.it_value.tv_sec);
  }
  int signal = 0, subreaper = 0;
  prctl(PR_GET_PDEATHSIG, &signal);
  prctl(PR_GET_CHILD_SUBREAPER, &subreaper);
  fprintf(out, "folder=%s\numask=%03o\npdeathsig=%d\nsubreaper=%d\nslack=%d\nkeepcaps=%d\n", folder, mask, signal, subreaper,
          prctl(PR_GET_TIMERSLACK), prctl(PR_GET_KEEPCAPS));
  fprintf(out, "personality=%x\nnice=%d\npolicy=%d\nioprio=%ld\n", personality(0xffffffff), getpriority(PRIO_PROCESS, 0),
          sched_getscheduler(0), syscall(SYS_ioprio_get, 1, 0));
  fprintf(out, "leader=%d\ncomm=", getsid(0) == getpid());
  file(out, "/proc/self/comm", NULL);
  fputs("oom=", out);
  file(out, "/proc/self/oom_score_adj", NULL);
  char keyring[256] = "";
  long id = syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0);
  syscall(SYS_keyctl, KEYCTL_DESCRIBE, id, keyring, sizeof keyring);
  fprintf(out, "keyring=%s\n", keyring);
  file(out, "/proc/self/status", "Uid Gid Groups SigBlk SigIgn SigPnd NoNewPrivs Seccomp CapInh CapAmb Cpus_allowed_list");
  file(out, "/proc/self/limits", NULL);
  DIR *open = opendir("/proc/self/fd");
  for (struct dirent *entry; (entry = readdir(open));) {
    int number = atoi(entry->d_name);
    if (entry->d_name[0] == '.' || number == dirfd(open) || number == fileno(out)) continue;
    snprintf(link, sizeof link, "/proc/self/fd/%d", number);
    ssize_t length = readlink(link, target, sizeof target - 1);
    fprintf(out, "descriptor=%d %.*s\n", number, (int)(length < 0 ? 0 : length), target);
  }
  fprintf(out, "seals=%x\nparcel=", fcntl(3, F_GET_SEALS));
  unsigned char byte;
  while (read(3, &byte, 1) == 1) fprintf(out, "%02x", byte);
  fputs("\n", out);
  rewind(out);
  for (int c; (c = fgetc(out)) != EOF;) {
    byte = c;
    if (write(0, &byte, 1) != 1) return 1;
  }
  return 0;
}

static void limit(int resource, rlim_t soft, rlim_t hard) {
  struct rlimit now;
  getrlimit(resource, &now);
  now.rlim_cur = soft < now.rlim_max ? soft : now.rlim_max;
  if (hard < now.rlim_max) now.rlim_max = hard;
  if (setrlimit(resource, &now)) perror("setrlimit");
}

static void write_file(const char *path, const char *text) {
  int fd = open(path, O_WRONLY);
  if (fd < 0 || write(fd, text, strlen(text)) < 0) perror(path);
  close(fd);
}

static void everything(void) {
  umask(0);
  limit(RLIMIT_CORE, RLIM_INFINITY, RLIM_INFINITY);
  limit(RLIMIT_STACK, RLIM_INFINITY, RLIM_INFINITY);
  limit(RLIMIT_NOFILE, 5, RLIM_INFINITY);
  limit(RLIMIT_FSIZE, 0, RLIM_INFINITY);
  limit(RLIMIT_DATA, 64 << 20, RLIM_INFINITY);
  limit(RLIMIT_NPROC, 5000, RLIM_INFINITY);
  if (setpriority(PRIO_PROCESS, 0, 19)) perror("nice");
  write_file("/proc/self/oom_score_adj", "500");
  struct sched_param none = {0};
  if (sched_setscheduler(0, SCHED_IDLE, &none)) perror("scheduler");
  syscall(SYS_ioprio_set, 1, 0, 3 << 13);
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(0, &one);
  sched_setaffinity(0, sizeof one, &one);
  personality(ADDR_NO_RANDOMIZE | READ_IMPLIES_EXEC | UNAME26);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  prctl(PR_SET_TIMERSLACK, 1UL << 62);
  syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, "of-the-caller");
  struct itimerval soon = {{0, 0}, {1000, 0}};
  for (int which = 0; which < 3; which++) setitimer(which, &soon, NULL);
  struct { void *handler; unsigned long flags; void *restorer; unsigned long mask; } ignore = {SIG_IGN, 0, NULL, 0};
  unsigned long all = ~0UL;
  for (int signal = 1; signal <= 64; signal++) syscall(SYS_rt_sigaction, signal, &ignore, NULL, 8);
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, 8);
  mkdir("/run/gone", 0777);
  if (chdir("/run/gone") || rmdir("/run/gone")) perror("folder");
}

int main(int argc, char **argv) {
  if (argc > 0 && !strcmp(argv[0], "orrery-session")) return session(argv);
  const char *attack = argv[1], *program = launch;
  char *arguments[] = {"orrery-launch", NULL, NULL, NULL}, *nothing[] = {NULL}, **variables = nothing;
  if (!strcmp(attack, "everything")) everything();
  if (!strcmp(attack, "no-arguments")) arguments[0] = NULL;
  if (!strcmp(attack, "empty-argument")) arguments[0] = "";
  if (!strcmp(attack, "arguments")) arguments[0] = "orrery-session", arguments[1] = "--start", arguments[2] = "\\";
  if (!strcmp(attack, "variables")) {
    variables = calloc(10100, sizeof *variables);
    char *bad[] = {"NO_EQUALS", "=", "", "A=1", "A=2", "GCONV_PATH=/tmp", "LD_PRELOAD=/tmp/x.so", "LD_LIBRARY_PATH=/tmp", "LD_AUDIT=/tmp/x.so",
                   "GLIBC_TUNABLES=glibc.malloc.mxfast=glibc.malloc.mxfast=A", "MALLOC_CHECK_=3", "TZ=/etc/shadow", "NLSPATH=/tmp/%N",
                   "RUST_BACKTRACE=full", "RUST_MIN_STACK=1", "LOCPATH=/tmp", "LC_ALL=x", "PATH=/tmp", "TMPDIR=/tmp", "BASH_ENV=/tmp/x"};
    int count = sizeof bad / sizeof *bad;
    memcpy(variables, bad, sizeof bad);
    for (int i = 0; i < 10000; i++) if (asprintf(&variables[count + i], "VARIABLE_%d=%d", i, i) < 0) return 99;
  }
  if (!strcmp(attack, "descriptors")) {
    limit(RLIMIT_NOFILE, 5000, RLIM_INFINITY);
    for (int fd = 3; fd <= 4096; fd++) dup2(0, fd);
  }
  if (!strcmp(attack, "file-size")) limit(RLIMIT_FSIZE, 0, 0);
  if (!strcmp(attack, "three-files")) limit(RLIMIT_NOFILE, 3, 3);
  if (!strcmp(attack, "no-new-privs")) prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (!strcmp(attack, "path")) program = argv[3];
  uid_t uid = atoi(argv[2]);
  gid_t groups[] = {uid, 4, 5};
  if (uid && (setgroups(3, groups) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid))) return 98;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (!strcmp(attack, "closed")) close(0), close(1), close(2);
  execve(program, arguments, variables);
  return 97;
}
