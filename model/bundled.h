// SPDX-License-Identifier: GPL-3.0-or-later
// The bundled engine's short URIs, and starting its daemon where nobody listens.
//
//	lodge:///system             this machine's engine, root's
//	lodge:///session            the user's own
//	lodge+SCHEME://HOST/system  another machine's, e.g. lodge+ssh://HOST/system
//
// libvirt's client takes any driver's name when the URI says at which socket its server listens;
// the short forms leave that out, and are what settings, screens and people use.
#pragma once

#include <glib.h>
#include <stdbool.h>

#define BUNDLED_SYSTEM "lodge:///system"
#define BUNDLED_SESSION "lodge:///session"

// Whether a URI is the bundled engine's, short or long, of any machine.
bool bundled_is(const char *uri);

// What libvirt is to open for a URI: one of the bundled engine's with its socket, any other as it
// is. Any thread; caller frees.
char *bundled_expand(const char *uri, bool read_only);

// Makes the engine of a short URI of this machine listen: starts lodged unless somebody does
// already, and waits for it. True for every other URI. Blocks up to some seconds; any thread.
// MODEL_ERROR_NOT_CONNECTED with a sentence.
bool bundled_start(const char *uri, GError **error);

// The engine that is opened when nobody says what: the system's for root, the user's own for
// others; NULL where lodged is not installed. Static.
const char *bundled_default(void);
