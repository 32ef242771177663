// asio: runs the callbacks on the thread of a boost::asio::io_context (C++17).
//
//     c++ -std=c++17 asio.cpp $(pkg-config --cflags --libs zelf) -pthread -o asio
//     ./asio IDENTIFIER [BASE_URL CA_FILE]
#include <cstdio>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <zelf.hpp>

/** Dispatches a client while its descriptor is readable. */
class dispatcher {
public:
    dispatcher(boost::asio::io_context &loop, const zelf::client &client)
        : client_(client), descriptor_(loop, client.descriptor())
    {
        wait();
    }
    dispatcher(const dispatcher &) = delete;
    dispatcher &operator=(const dispatcher &) = delete;
    // The client closes its descriptor.
    ~dispatcher() { descriptor_.release(); }

    void stop() { descriptor_.cancel(); }

private:
    void wait()
    {
        descriptor_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                               [this](const boost::system::error_code &error) {
                                   if (error) return;
                                   // A callback may stop the wait that begins here.
                                   wait();
                                   client_.dispatch();
                               });
    }

    const zelf::client &client_;
    boost::asio::posix::stream_descriptor descriptor_;
};

int main(int argc, char **argv)
{
    if (argc < 2) return std::fprintf(stderr, "usage: %s IDENTIFIER [BASE_URL CA_FILE]\n", argv[0]), 2;
    try {
        zelf::config config;
        config.dispatch(true);
        if (argc > 3) config.base_url(argv[2]).ca_file(argv[3]);
        const zelf::client client(config);
        boost::asio::io_context loop;
        dispatcher dispatches(loop, client);
        int status = 1;
        client.create_async(zelf::session_options().identifier(argv[1]),
                            [&](zelf::result<zelf::session> came) {
                                if (came)
                                    std::printf("a session with %lld s left\n",
                                                static_cast<long long>(came->time_left().count()));
                                else
                                    std::fprintf(stderr, "%s\n", came.error().what());
                                status = came ? 0 : 1;
                                dispatches.stop();
                            });
        loop.run();
        return status;
    } catch (const zelf::error &error) {
        return std::fprintf(stderr, "%s\n", error.what()), 1;
    }
}
