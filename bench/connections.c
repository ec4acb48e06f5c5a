/* SPDX-License-Identifier: GPL-2.0 */
/* Opens, accepts and closes so many connections over loopback; says how much CPU time each took, in ns. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static double spent(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e9 +
	       (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e3;
}

int main(int count, char **words)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct linger at_once = { 1, 0 }; /* so that no port is waited for */
	int number = count > 1 ? atoi(words[1]) : 0, listener = socket(AF_INET, SOCK_STREAM, 0), i, from, to;
	socklen_t length = sizeof(address);
	double begun;

	if (number <= 0 || bind(listener, (void *)&address, length) || listen(listener, 128) ||
	    getsockname(listener, (void *)&address, &length))
		return 1;
	begun = spent();
	for (i = 0; i < number; i++) {
		from = socket(AF_INET, SOCK_STREAM, 0);
		setsockopt(from, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
		if (connect(from, (void *)&address, sizeof(address))) {
			perror("connect");
			return 1;
		}
		to = accept(listener, NULL, NULL);
		close(from);
		close(to);
	}
	printf("%.1f\n", (spent() - begun) / number);
	return 0;
}
