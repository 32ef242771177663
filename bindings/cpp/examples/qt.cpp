// qt: runs the callbacks on the thread of a Qt event loop (C++17, Qt 5 or 6).
//
//     c++ -std=c++17 -fPIC qt.cpp $(pkg-config --cflags --libs zelf Qt5Core) -o qt
//     ./qt IDENTIFIER [BASE_URL CA_FILE]
#include <cstdio>

#include <QCoreApplication>
#include <QSocketNotifier>

#include <zelf.hpp>

int main(int argc, char **argv)
{
    if (argc < 2) return std::fprintf(stderr, "usage: %s IDENTIFIER [BASE_URL CA_FILE]\n", argv[0]), 2;
    QCoreApplication app(argc, argv);
    auto config = zelf::config().dispatch(true);
    if (argc > 3) config.base_url(argv[2]).ca_file(argv[3]);
    const auto client = zelf::client::try_make(config);
    if (!client) return std::fprintf(stderr, "%s\n", client.error().what()), 1;

    // Qt programs do not throw: an exception must not leave an event handler.
    QSocketNotifier due(client->descriptor(), QSocketNotifier::Read);
    QObject::connect(&due, &QSocketNotifier::activated, [&] { client->dispatch(); });

    const auto call = client->try_create_async(
        zelf::session_options().identifier(argv[1]), [](zelf::result<zelf::session> came) {
            if (came)
                std::printf("a session with %lld s left\n",
                            static_cast<long long>(came->time_left().count()));
            else
                std::fprintf(stderr, "%s\n", came.error().what());
            QCoreApplication::exit(came ? 0 : 1);
        });
    if (!call) return std::fprintf(stderr, "%s\n", call.error().what()), 1;
    return app.exec();
}
