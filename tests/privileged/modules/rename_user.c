/* A PAM module for tests: lets everybody in, as the user that its argument names. */
#include <security/pam_modules.h>

int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    (void)flags;
    return argc == 1 ? pam_set_item(pamh, PAM_USER, argv[0]) : PAM_SYSTEM_ERR;
}

int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    (void)pamh; (void)flags; (void)argc; (void)argv;
    return PAM_SUCCESS;
}
