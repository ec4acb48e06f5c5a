/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A program that talks, and says of each connection which process it was and from which port:
 *
 *     talker connect ADDRESS PORT COUNT     connections one after the other
 *     talker forks ADDRESS PORT COUNT       the same, each from a child of its own
 *     talker threads ADDRESS PORT COUNT     the same, from a second thread, when the first has ended
 *     talker send ADDRESS PORT COUNT        datagrams of one socket that is not connected
 *     talker serve PORT COUNT               accepts connections, and sends back what comes
 *     talker hold ADDRESS PORT              one connection: sends a line each tenth of a second, says what comes back
 *
 * IPv4 addresses are used over IPv6 sockets if TALKER_MAPPED is set.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct sockaddr_storage place;
static socklen_t place_size;
static int count;

static void read_place(const char *address, const char *port)
{
	struct sockaddr_in *ip = (void *)&place;
	struct sockaddr_in6 *ip6 = (void *)&place;
	char mapped[64];

	if (inet_pton(AF_INET, address, &ip->sin_addr) == 1 && !getenv("TALKER_MAPPED")) {
		ip->sin_family = AF_INET;
		ip->sin_port = htons(atoi(port));
		place_size = sizeof(*ip);
		return;
	}
	snprintf(mapped, sizeof(mapped), strchr(address, ':') ? "%s" : "::ffff:%s", address);
	inet_pton(AF_INET6, mapped, &ip6->sin6_addr);
	ip6->sin6_family = AF_INET6;
	ip6->sin6_port = htons(atoi(port));
	place_size = sizeof(*ip6);
}

static int local_port(int fd)
{
	struct sockaddr_storage own;
	socklen_t size = sizeof(own);

	getsockname(fd, (void *)&own, &size);
	return ntohs(own.ss_family == AF_INET ? ((struct sockaddr_in *)&own)->sin_port :
						((struct sockaddr_in6 *)&own)->sin6_port);
}

static int connect_once(void)
{
	struct linger reset = { 1, 0 };
	int fd = socket(place.ss_family, SOCK_STREAM, 0), failed;

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	failed = connect(fd, (void *)&place, place_size);
	printf("%d %d %s\n", getpid(), local_port(fd), failed ? strerror(errno) : "ok");
	close(fd);
	return failed;
}

static void *connect_all(void *nothing)
{
	for (int i = 0; i < count; i++)
		connect_once();
	fflush(stdout);
	exit(0);
	return nothing;
}

static int fork_all(void)
{
	for (int i = 0; i < count; i++) {
		pid_t child = fork();

		if (!child) {
			connect_once();
			fflush(stdout);
			_exit(0);
		}
		waitpid(child, NULL, 0);
	}
	return 0;
}

static int send_all(void)
{
	int fd = socket(place.ss_family, SOCK_DGRAM, 0);

	for (int i = 0; i < count; i++) {
		ssize_t sent = sendto(fd, "hello", 5, 0, (void *)&place, place_size);

		printf("%d %d %s\n", getpid(), local_port(fd), sent < 0 ? strerror(errno) : "ok");
	}
	fflush(stdout);
	close(fd);
	return 0;
}

static int serve(const char *port)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(atoi(port)) };
	int fd = socket(AF_INET6, SOCK_STREAM, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (void *)&any, sizeof(any)) || listen(fd, 128)) {
		perror("serve");
		return 1;
	}
	printf("%d %s listens\n", getpid(), port);
	fflush(stdout);
	for (int i = 0; i < count; i++) {
		struct sockaddr_storage peer;
		socklen_t size = sizeof(peer);
		int client = accept(fd, (void *)&peer, &size);
		char line[256];
		ssize_t length;

		while ((length = read(client, line, sizeof(line))) > 0)
			if (write(client, line, length) < 0)
				break;
		close(client);
	}
	return 0;
}

static int hold(void)
{
	int fd = socket(place.ss_family, SOCK_STREAM, 0);
	char line[256];

	if (connect(fd, (void *)&place, place_size)) {
		perror("hold");
		return 1;
	}
	printf("%d %d ok\n", getpid(), local_port(fd));
	fflush(stdout);
	for (;;) {
		if (send(fd, "hello\n", 6, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno != EAGAIN) {
			perror("hold");
			return 1;
		}
		usleep(100000);
		if (recv(fd, line, sizeof(line), MSG_DONTWAIT) > 0) {
			printf("answer\n");
			fflush(stdout);
		}
	}
}

int main(int words, char **word)
{
	const char *what = words > 1 ? word[1] : "";
	pthread_t thread;

	if (words < 4)
		return 2;
	if (!strcmp(what, "serve")) {
		count = atoi(word[3]);
		return serve(word[2]);
	}
	read_place(word[2], word[3]);
	count = words > 4 ? atoi(word[4]) : 1;
	if (!strcmp(what, "connect"))
		connect_all(NULL);
	if (!strcmp(what, "threads")) {
		pthread_create(&thread, NULL, connect_all, NULL);
		pthread_exit(NULL);
	}
	if (!strcmp(what, "forks"))
		return fork_all();
	if (!strcmp(what, "send"))
		return send_all();
	if (!strcmp(what, "hold"))
		return hold();
	return 2;
}
