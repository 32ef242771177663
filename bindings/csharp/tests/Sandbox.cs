using System;
using System.IO;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Zelf;

// The sandbox that the environment names.
static class Sandbox
{
    internal static readonly string Https = Variable("ZELF_HTTPS");
    internal static readonly string Http = Variable("ZELF_HTTP");
    internal static readonly string Ca = Variable("ZELF_CA");

    internal static string Variable(string name)
    {
        return Environment.GetEnvironmentVariable(name) ?? throw new BrokenPromise(name + " is not set");
    }

    internal static ClientSettings Settings()
    {
        return new ClientSettings { BaseUrl = Https, CaFile = Ca };
    }

    internal static Client NewClient() => new Client(Settings());

    // An identifier for one test.
    internal static SessionOptions NewOptions() => new SessionOptions { Identifier = Identifier.Random() };

    internal static string Control(string method, string path, string body = null)
    {
        HttpWebRequest request = WebRequest.CreateHttp(Variable("ZELF_CONTROL") + "/sandbox/" + path);
        request.Method = method;
        request.Proxy = null;
        if (body != null)
        {
            request.ContentType = "application/json";
            byte[] bytes = Encoding.UTF8.GetBytes(body);
            using (Stream stream = request.GetRequestStream()) stream.Write(bytes, 0, bytes.Length);
        }
        using (WebResponse response = request.GetResponse())
        using (StreamReader reader = new StreamReader(response.GetResponseStream()))
            return reader.ReadToEnd();
    }

    internal static void AddFault(string json) => Control("POST", "faults", json.Replace('\'', '"'));

    internal static void Stall() => AddFault("{'kind':'stall','stage':'headers','path':'/api/sessions'}");

    internal static void RemoveFaults() => Control("DELETE", "faults");

    internal static void Age(SessionOptions options, int seconds)
    {
        Control("POST", "age", "{\"identifier\":\"" + options.Identifier + "\",\"seconds\":" + seconds + "}");
    }

    // Ends the session on the server, which routes that check it then refuse.
    internal static void UseUp(SessionOptions options)
    {
        Control("POST", "use", "{\"identifier\":\"" + options.Identifier + "\"}");
    }

    // How many requests the current faults have struck.
    internal static int Struck()
    {
        int sum = 0;
        foreach (Match match in Regex.Matches(Control("GET", "faults"), "\"struck\":(\\d+)"))
            sum += int.Parse(match.Groups[1].Value);
        return sum;
    }

    // All requests since ForgetRequests, as JSON.
    internal static string Requests() => Control("GET", "requests");

    internal static int CountRequests(string target)
    {
        return Regex.Matches(Requests(), Regex.Escape("\"path\":\"" + target)).Count;
    }

    internal static void ForgetRequests() => Control("DELETE", "requests");
}
