// SPDX-License-Identifier: GPL-3.0-or-later
// The tree of hosts and groups, and which guests a node of it stands for.
#pragma once

#include "model/model.h"
#include "ui/tree.h"

/// Fills the tree from the model.
void host_tree_fill(struct tree *tree, const struct model *model);

/// The guests of the node under the cursor, each held; the caller unrefs.
GPtrArray *host_tree_guests(const struct tree *tree, const struct model *model);

/// The connection of that node; NULL for all.
struct connection *host_tree_connection(const struct tree *tree, const struct model *model);
