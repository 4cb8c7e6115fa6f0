/* A PAM module for tests: hangs in every phase that its arguments name, with all signals blocked and no alarm. */
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include <security/pam_modules.h>

static int hang(const char *phase, int argc, const char **argv)
{
    int i;
    for (i = 0; i < argc; i++) {
        if (strcmp(argv[i], phase) == 0) {
            sigset_t all;
            sigfillset(&all);
            sigprocmask(SIG_SETMASK, &all, NULL);
            signal(SIGALRM, SIG_IGN);
            alarm(0);
            for (;;)
                pause();
        }
    }
    return PAM_SUCCESS;
}

int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    (void)pamh; (void)flags;
    return hang("auth", argc, argv);
}

int pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    (void)pamh; (void)flags;
    return hang("account", argc, argv);
}

int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    (void)pamh; (void)flags;
    return hang("setcred", argc, argv);
}
