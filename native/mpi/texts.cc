// What ranks say to each other: texts of any length.
#include <algorithm>
#include <string>
#include <vector>

#include "ranks.h"

/// Moves bytes, however many.
void Ranks::transfer(char *data, int64_t total, int partner, bool sends) {
  for (int64_t at = 0; at < total; at += PIECE) {
    const int count = static_cast<int>(std::min(PIECE, total - at));
    Request request;
    if (sends) check(mpi.send(data + at, count, mpi.byte, partner, TEXT, mpi.world, &request), "MPI_Isend");
    else check(mpi.receive(data + at, count, mpi.byte, partner, TEXT, mpi.world, &request), "MPI_Irecv");
    finish(request, partner);
    if (sends) bytes += count;
  }
}

void Ranks::send(const std::string &text, int to) {
  int64_t length = static_cast<int64_t>(text.size());
  transfer(reinterpret_cast<char *>(&length), sizeof length, to, true);
  transfer(const_cast<char *>(text.data()), length, to, true);
}

std::string Ranks::receive(int from) {
  int64_t length = 0;
  transfer(reinterpret_cast<char *>(&length), sizeof length, from, false);
  std::string text(static_cast<size_t>(length), '\0');
  transfer(&text[0], length, from, false);
  return text;
}

/// From rank 0 to all: those that have it hand it on, to one each.
std::string Ranks::spread(std::string text) {
  int distance = 1;
  while (distance < size) distance *= 2;
  for (distance /= 2; distance >= 1; distance /= 2) {
    if (rank % (2 * distance) == 0 && rank + distance < size) send(text, rank + distance);
    else if (rank % (2 * distance) == distance) text = receive(rank - distance);
  }
  return text;
}

std::string Ranks::broadcast(std::string own) {
  std::string result;
  wait(begin([&] { result = spread(std::move(own)); }));
  return result;
}

std::vector<std::string> Ranks::exchange(std::string own) {
  std::vector<std::string> texts(static_cast<size_t>(size));
  wait(begin([&] {
    if (rank != 0) send(own, 0);
    else texts[0] = own;
    if (rank == 0)
      for (int from = 1; from < size; from++) texts[static_cast<size_t>(from)] = receive(from);
    std::string all;
    for (const std::string &text : texts) all += std::to_string(text.size()) + " " + text;
    all = spread(std::move(all));
    size_t at = 0;
    for (std::string &text : texts) {
      const size_t space = all.find(' ', at);
      const size_t length = std::stoull(all.substr(at, space - at));
      text = all.substr(space + 1, length);
      at = space + 1 + length;
    }
  }));
  return texts;
}
