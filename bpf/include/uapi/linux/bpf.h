/* SPDX-License-Identifier: GPL-2.0 */
/* Empty: bcc brings its own copy. */
#ifndef HEARTHWALL_UAPI_BPF_H
#define HEARTHWALL_UAPI_BPF_H
#endif
