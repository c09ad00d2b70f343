/* Feeds every file of the folders given to the fuzz target that this is linked with: the corpus as a test,
 * without libFuzzer. A crash, a leak or a sanitizer complaint fails it, and so does an empty corpus. */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* 1 when `path` was replayed, 0 when it is no regular file, -1 on an error (already reported). */
static int replay_file(const char *path)
{
    struct stat info;
    FILE *file = fopen(path, "rb");
    if (!file || fstat(fileno(file), &info) != 0) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        if (file)
            fclose(file);
        return -1;
    }
    if (!S_ISREG(info.st_mode)) {
        fclose(file);
        return 0;
    }
    /* A block of exactly the file's size: ASan then sees a read of one byte too many. */
    size_t size = (size_t)info.st_size;
    uint8_t *data = malloc(size > 0 ? size : 1);
    int outcome = 1;
    if (!data || fread(data, 1, size, file) != size) {
        fprintf(stderr, "%s: cannot be read\n", path);
        outcome = -1;
    } else {
        LLVMFuzzerTestOneInput(data, size);
    }
    free(data);
    fclose(file);
    return outcome;
}

static int replay_folder(const char *folder, int *replayed)
{
    DIR *dir = opendir(folder);
    if (!dir) {
        fprintf(stderr, "%s: %s\n", folder, strerror(errno));
        return -1;
    }
    int worst = 0;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        char path[4096];
        if (snprintf(path, sizeof path, "%s/%s", folder, entry->d_name) >= (int)sizeof path) {
            worst = -1;
            continue;
        }
        int outcome = replay_file(path);
        if (outcome < 0)
            worst = -1;
        else
            *replayed += outcome;
    }
    closedir(dir);
    return worst;
}

int main(int argc, char **argv)
{
    int replayed = 0;
    bool failed = argc < 2;
    for (int i = 1; i < argc; i++)
        failed |= replay_folder(argv[i], &replayed) < 0;
    printf("replayed %d files\n", replayed);
    return failed || replayed == 0 ? 1 : 0;
}
