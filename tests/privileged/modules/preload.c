/* A library for tests: whatever loads it leaves a file that says as whom. */
#include <stdio.h>
#include <unistd.h>

__attribute__((constructor)) static void loaded(void)
{
    char path[64];
    snprintf(path, sizeof path, "/tmp/orrery-preloaded-%d", (int)geteuid());
    FILE *file = fopen(path, "w");
    if (file)
        fclose(file);
}
