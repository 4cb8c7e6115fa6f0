/* A PAM module for tests: asks for a password (hidden), a colour (shown) and a code (hidden), with a text of each kind
   between them. The right answers are "one", "green" and "three". */
#include <stdlib.h>
#include <string.h>
#include <security/pam_modules.h>
#include <security/pam_ext.h>

static int wrong(pam_handle_t *pamh, int style, const char *prompt, const char *right)
{
    char *answer = NULL;
    int failed = pam_prompt(pamh, style, &answer, "%s", prompt) != PAM_SUCCESS || !answer || strcmp(answer, right) != 0;
    free(answer);
    return failed;
}

int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    (void)flags; (void)argc; (void)argv;
    pam_info(pamh, "%s", "Have your <b>token</b> at hand");
    if (wrong(pamh, PAM_PROMPT_ECHO_OFF, "First secret: ", "one"))
        return PAM_AUTH_ERR;
    if (wrong(pamh, PAM_PROMPT_ECHO_ON, "Favourite colour: ", "green")) {
        pam_error(pamh, "%s", "That is not your colour");
        return PAM_AUTH_ERR;
    }
    return wrong(pamh, PAM_PROMPT_ECHO_OFF, "Code: ", "three") ? PAM_AUTH_ERR : PAM_SUCCESS;
}

int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    (void)pamh; (void)flags; (void)argc; (void)argv;
    return PAM_SUCCESS;
}
