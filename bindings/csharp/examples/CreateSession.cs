// Prints the Authorization header of a session.
//
//   mono CreateSession.exe [BASE_URL [CA_FILE]]     default: the public API
using System;
using Zelf;

static class CreateSession
{
    static void Main(string[] arguments)
    {
        var settings = new ClientSettings
        {
            BaseUrl = arguments.Length > 0 ? arguments[0] : null,
            CaFile = arguments.Length > 1 ? arguments[1] : null,
        };
        using (var client = new Client(settings))
        using (var session = client.Create(new SessionOptions { Identifier = Identifier.Derive("my device") }))
            Console.WriteLine("Authorization: " + session.GetAuthorization());
    }
}
