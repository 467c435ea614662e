/* module_load.c: opens modules by dlopen. They are looked for beside the library: in
 * qboost-modules/ in the folder of the shared object, or of the program, that holds this code, and
 * then where they were installed to (QB_MODULE_DIR). */
// SPDX-License-Identifier: Apache-2.0
#include "base/module_load.h"

#include "base/error.h"

#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef QB_MODULE_DIR
#define QB_MODULE_DIR "/usr/local/lib/qboost-modules"
#endif

enum { MAX_MODULES = 8, MAX_NAME = 16 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char test_folder[PATH_MAX];
static struct {
    char name[MAX_NAME];
    const QbModuleHead *module;
} opened[MAX_MODULES];
static int n_opened;

/* The folder of the object that this function is in; empty when it cannot be told. */
static void own_folder(char folder[PATH_MAX])
{
    Dl_info info;
    struct link_map *map = NULL;
    char *found = NULL;
    folder[0] = 0;
    if (dladdr1((void *)(uintptr_t)own_folder, &info, (void **)&map, RTLD_DL_LINKMAP) && map &&
        map->l_name && map->l_name[0])
        found = realpath(map->l_name, NULL);
    else
        found = realpath("/proc/self/exe", NULL);
    char *slash = found ? strrchr(found, '/') : NULL;
    if (slash && (size_t)(slash - found) < PATH_MAX - sizeof "/qboost-modules") {
        *slash = 0;
        snprintf(folder, PATH_MAX, "%s/qboost-modules", found);
    }
    free(found);
}

static QbStatus open_file(const QbModuleHead **out, const QbModuleKind *kind, const char *path,
                          const char *name)
{
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        const char *why = dlerror();
        return qb_fail(QB_ERR_UNSUPPORTED, "the module %s cannot be opened: %s", path,
                       why ? why : "unknown reason");
    }
    const QbModuleHead *module = dlsym(handle, kind->symbol);
    if (!module || module->abi != kind->abi || strcmp(module->name, name)) {
        QbStatus status =
            qb_fail(QB_ERR_UNSUPPORTED, "%s is not the module %s of this version", path, name);
        dlclose(handle);
        return status;
    }
    *out = module;
    return QB_OK;
}

static QbStatus find(const QbModuleHead **out, const QbModuleKind *kind, const char *name,
                     const char *package)
{
    char own[PATH_MAX];
    own_folder(own);
    const char *folders[] = {test_folder[0] ? test_folder : own,
                             test_folder[0] ? "" : QB_MODULE_DIR};
    for (int i = 0; i < 2; i++) {
        char path[PATH_MAX + 32];
        snprintf(path, sizeof path, "%s/%s.so", folders[i], name);
        if (folders[i][0] && !access(path, F_OK))
            return open_file(out, kind, path, name);
    }
    return qb_fail(
        QB_ERR_UNSUPPORTED,
        "the module %s.so is needed, which is not in %s%s%s (building it needs the package "
        "%s)",
        name, folders[0], folders[1][0] ? " nor in " : "", folders[1], package);
}

QbStatus qb_module_get(const QbModuleHead **out, const QbModuleKind *kind, const char *name,
                       const char *package)
{
    *out = NULL;
    pthread_mutex_lock(&lock);
    for (int i = 0; i < n_opened && !*out; i++)
        if (!strcmp(opened[i].name, name))
            *out = opened[i].module;
    QbStatus status = *out ? QB_OK : find(out, kind, name, package);
    bool is_new = !status;
    for (int i = 0; i < n_opened; i++)
        is_new = is_new && opened[i].module != *out;
    if (is_new && n_opened < MAX_MODULES && strlen(name) < MAX_NAME) {
        snprintf(opened[n_opened].name, MAX_NAME, "%s", name);
        opened[n_opened++].module = *out;
    }
    pthread_mutex_unlock(&lock);
    return status;
}

void qb_module_set_folder(const char *folder)
{
    pthread_mutex_lock(&lock);
    snprintf(test_folder, sizeof test_folder, "%s", folder ? folder : "");
    pthread_mutex_unlock(&lock);
}
