// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Block backends: where a disk's bytes are. Requests are carried out in order of arrival or
 * side by side, in threads of the backend; a flush covers every write that was done before it was
 * submitted.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

enum block_op {
	BLOCK_READ,
	BLOCK_WRITE,
	BLOCK_FLUSH,   /* what was written survives a power loss of the host (fdatasync) */
	BLOCK_DISCARD, /* the bytes are not needed; they read as zeroes or as before */
	BLOCK_ZERO,    /* the bytes read as zeroes; unmap allows to free their space */
};

/* A request lives in its owner's memory and must stay until done is called. */
struct block_request {
	enum block_op op;
	uint64_t offset; /* bytes; offset + length lies within the backend's size */
	uint64_t length; /* bytes: the sum of iov for reads and writes */
	const struct iovec *iov;
	unsigned iov_count;
	bool unmap;
	bool durable; /* BLOCK_WRITE: not done before it is as after a flush */
	/* In a thread of the backend, no lock held; error is 0 or an errno. */
	void (*done)(struct block_request *request, int error);
	void *opaque;
	struct block_request *next; /* the backend's */
};

struct block_backend;

struct block_backend_ops {
	/* Starts a request; never blocks for long. Any thread. */
	void (*submit)(struct block_backend *backend, struct block_request *request);
	/* Carries out a read or write at once, in the caller's thread, if that takes no waiting
	 * (the bytes are in the host's cache); done is not called. False: it was not, submit it.
	 * NULL: never. Any thread. */
	bool (*attempt)(struct block_backend *backend, const struct block_request *request);
	/* Waits until all requests submitted before are done. The caller holds no lock that their
	 * done callbacks take (the machine lock!). */
	void (*drain)(struct block_backend *backend);
	/* Looks at the size again (a file that was grown); errors leave the size alone. */
	bool (*refresh)(struct block_backend *backend, GError **error);
	/* Makes the image larger, so that refresh finds size bytes. NULL: it cannot be. */
	bool (*resize)(struct block_backend *backend, uint64_t size, GError **error);
	/* Drains and frees. */
	void (*free)(struct block_backend *backend);
};

struct block_backend {
	const struct block_backend_ops *ops;
	uint64_t size; /* bytes, a multiple of 512 */
	bool read_only;
	bool can_discard;    /* DISCARD does something */
	uint32_t block_size; /* physical block in bytes, a hint: 512 or more, a power of two */
};

static inline void block_submit(struct block_backend *backend, struct block_request *request)
{
	backend->ops->submit(backend, request);
}

static inline bool block_attempt(struct block_backend *backend, const struct block_request *request)
{
	return backend->ops->attempt && backend->ops->attempt(backend, request);
}

static inline void block_drain(struct block_backend *backend)
{
	backend->ops->drain(backend);
}

/* false without an error: the backend cannot. */
static inline bool block_resize(struct block_backend *backend, uint64_t size, GError **error)
{
	return backend->ops->resize && backend->ops->resize(backend, size, error);
}

static inline void block_free(struct block_backend *backend)
{
	if (backend)
		backend->ops->free(backend);
}
