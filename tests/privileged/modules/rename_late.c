/* A PAM module for tests: changes the user during account management. */
#include <security/pam_modules.h>

int pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    (void)flags;
    return argc == 1 ? pam_set_item(pamh, PAM_USER, argv[0]) : PAM_SYSTEM_ERR;
}
