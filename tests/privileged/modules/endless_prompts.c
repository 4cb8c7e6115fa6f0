/* A PAM module for tests: never stops asking as long as it is answered. */
#include <stdlib.h>
#include <security/pam_modules.h>
#include <security/pam_ext.h>

int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    (void)flags; (void)argc; (void)argv;
    for (;;) {
        char *answer = NULL;
        if (pam_prompt(pamh, PAM_PROMPT_ECHO_OFF, &answer, "%s", "And again: ") != PAM_SUCCESS)
            return PAM_CONV_ERR;
        free(answer);
    }
}

int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    (void)pamh; (void)flags; (void)argc; (void)argv;
    return PAM_SUCCESS;
}
