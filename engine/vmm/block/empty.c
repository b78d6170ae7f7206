// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vmm/block/empty.h"

#include <errno.h>

static void empty_submit(struct block_backend *backend, struct block_request *request)
{
	request->done(request, ENOMEDIUM);
}

static void empty_drain(struct block_backend *backend)
{
}

static bool empty_refresh(struct block_backend *backend, GError **error)
{
	return true;
}

static void empty_free(struct block_backend *backend)
{
	g_free(backend);
}

static const struct block_backend_ops empty_ops = {
	.submit = empty_submit,
	.drain = empty_drain,
	.refresh = empty_refresh,
	.free = empty_free,
};

struct block_backend *block_empty_new(void)
{
	struct block_backend *empty = g_new0(struct block_backend, 1);

	*empty = (struct block_backend){
		.ops = &empty_ops,
		.read_only = true,
		.block_size = 512,
	};
	return empty;
}
