using System;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Zelf;

static class PackageTests
{
    const BindingFlags Any = BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;
    static readonly string Source = Sandbox.Variable("ZELF_SOURCE");
    static readonly string Folder = Path.GetDirectoryName(typeof(Client).Assembly.Location);

    // The header without the functions that exist on Android only.
    static string Header() => Regex.Replace(File.ReadAllText(Source + "/include/zelf.h"),
        @"^#if defined\(__ANDROID__\)\n.*?^#endif\n", "", RegexOptions.Multiline | RegexOptions.Singleline);

    // Runs a program, and returns its output. It must succeed.
    static string Command(string directory, string program, params string[] arguments)
    {
        ProcessStartInfo start = new ProcessStartInfo(program,
            string.Join(" ", arguments.Select(argument => "\"" + argument + "\"")))
        {
            UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true,
            WorkingDirectory = directory
        };
        using (Process process = Process.Start(start))
        {
            var errors = process.StandardError.ReadToEndAsync();
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            output += errors.GetAwaiter().GetResult();
            Claim.True(process.ExitCode == 0, program + ": " + output);
            return output;
        }
    }

    // Makes an empty folder, with the installed package in it.
    static string NewFolder()
    {
        string folder = Path.Combine(Directory.GetCurrentDirectory(), Guid.NewGuid().ToString("N"));
        Directory.CreateDirectory(folder);
        foreach (string name in new[] { "Zelf.dll", "libzelf.so" })
            File.Copy(Path.Combine(Folder, name), Path.Combine(folder, name));
        return folder;
    }

    [Promise("the library is the one beside the assembly, and is stripped")]
    static void Bundled()
    {
        string path = Path.Combine(Folder, "libzelf.so");
        Claim.Equal("0.1.0", Library.Version);
        Claim.Contains(path, File.ReadAllText("/proc/self/maps"));
        Claim.Lacks(".symtab", Command(Folder, "readelf", "--sections", "--wide", path));
    }

    [Promise("the package has the licences of all code in the library")]
    static void Licences()
    {
        string[] files = File.ReadAllLines(Sandbox.Variable("ZELF_PREFIX") + "/share/doc/zelf/licences/FILES");
        Claim.True(files.Length > 20, files.Length + " licences");
        foreach (string file in files.Concat(new[] { "LICENSE-MIT", "LICENSE-APACHE" }))
        {
            var licence = new FileInfo(Path.Combine(Folder, "licences", file));
            Claim.True(licence.Exists && licence.Length > 0, file);
        }
    }

    [Promise("the table has each function of the header, and the library has it")]
    static void Functions()
    {
        string[] functions = Regex.Matches(Header(), @"^(?:ZELF_API .*?|\w[\w ]*[ *])\*?(zelf_\w+)\(", RegexOptions.Multiline)
            .Cast<Match>().Select(match => match.Groups[1].Value).Distinct().OrderBy(name => name, StringComparer.Ordinal).ToArray();
        Claim.True(functions.Length >= 86, functions.Length + " functions");
        MethodInfo[] table = typeof(Client).Assembly.GetType("Zelf.Native").GetMethods(Any)
            .Where(method => (method.Attributes & MethodAttributes.PinvokeImpl) != 0).ToArray();
        Claim.Equal(string.Join(" ", functions),
            string.Join(" ", table.Select(method => method.Name).OrderBy(name => name, StringComparer.Ordinal)));
        foreach (MethodInfo method in table) Marshal.Prelink(method);
    }

    [Promise("the table has each constant of the header, with its value")]
    static void Constants()
    {
        Type table = typeof(Client).Assembly.GetType("Zelf.Constants");
        Match[] constants = Regex.Matches(Header(), "^#define (ZELF_\\w+) (?:(-?\\d+)|\"(.*)\")$", RegexOptions.Multiline)
            .Cast<Match>().ToArray();
        Claim.True(constants.Length >= 50, constants.Length + " constants");
        Claim.Equal(constants.Length, table.GetFields(Any).Length);
        foreach (Match constant in constants)
            Claim.Equal(constant.Groups[2].Value + constant.Groups[3].Value,
                table.GetField(constant.Groups[1].Value, Any).GetRawConstantValue().ToString());
    }

    [Promise("the enums have each constant of the header")]
    static void Enums()
    {
        foreach (Match constant in Regex.Matches(
            Header(), @"^#define ZELF_(ERROR|LOG|SESSION_TYPE|RENEWAL)_(\w+) (\d+)$", RegexOptions.Multiline))
        {
            Type type = new[] { typeof(Status), typeof(LogLevel), typeof(SessionType), typeof(Renewal) }
                .Single(one => (one == typeof(Status) ? "ERROR" : Regex.Replace(one.Name, "(?<=[a-z])[A-Z]", "_$0").ToUpperInvariant()
                    .Replace("LOG_LEVEL", "LOG")) == constant.Groups[1].Value);
            string name = Enum.GetName(type, int.Parse(constant.Groups[3].Value));
            Claim.Equal(constant.Groups[2].Value.Replace("_", ""), name.ToUpperInvariant());
        }
    }

    [Promise("an older library is refused with an exception that names both versions")]
    static void Older()
    {
        string folder = NewFolder();
        File.WriteAllText(folder + "/old.c", "const char *zelf_version(void) { return \"0.0.9\"; }");
        File.Delete(folder + "/libzelf.so");
        Command(folder, "cc", "-shared", "-fPIC", "-o", "libzelf.so", "old.c");
        File.WriteAllText(folder + "/old.cs", @"
            static class Old
            {
                static void Main()
                {
                    try { new Zelf.Client(); }
                    catch (System.DllNotFoundException error) { System.Console.Write(error.Message); }
                }
            }");
        Command(folder, "mcs", "-r:Zelf.dll", "old.cs");
        Claim.Equal("libzelf 0.0.9 is too old: this assembly needs 0.1", Command(folder, "mono", "old.exe"));
    }

    static readonly string Readme = File.ReadAllText(Source + "/bindings/csharp/README.md");

    // The code in C# of the README.
    static string[] Blocks()
    {
        string[] blocks = Regex.Matches(Readme, "^```csharp\n(.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)
            .Cast<Match>().Select(match => match.Groups[1].Value).ToArray();
        Claim.Equal(3, blocks.Length);
        return blocks;
    }

    // Compiles Program.cs with the command of the README, and returns what it prints.
    static string Compiled(string program)
    {
        string folder = NewFolder();
        File.WriteAllText(folder + "/Program.cs", program);
        string[] words = Regex.Match(Readme, "^    mcs (.* Program.cs)$", RegexOptions.Multiline).Groups[1].Value.Split(' ');
        Command(folder, "mcs", words);
        return Command(folder, "mono", "Program.exe");
    }

    [Promise("the first example of the README compiles with its command, and prints a header")]
    static void ReadmeProgram() => Claim.Contains("Bearer eyJ", Compiled(Blocks()[0]));

    [Promise("the other examples of the README run, one after the other")]
    static void ReadmeParts()
    {
        string output = Compiled(@"
            using System;
            using Zelf;
            static class Program
            {
                static void Main()
                {
                    Run().GetAwaiter().GetResult();
                }

                static async System.Threading.Tasks.Task Run()
                {
                    Func<string, string> variable = Environment.GetEnvironmentVariable;
                    var client = new Client(new ClientSettings { BaseUrl = variable(""ZELF_HTTPS""), CaFile = variable(""ZELF_CA"") });
                    var options = new SessionOptions { Identifier = ""csharpreadme"" };
                    " + string.Join("\n", Blocks().Skip(1)) + @"
                }
            }");
        Claim.True(Regex.IsMatch(output, "^{\"data\":.*^200$", RegexOptions.Multiline | RegexOptions.Singleline), output);
        Claim.Contains("identifier is empty", output);
    }

    [Promise("the example compiles, and prints a header")]
    static void Example()
    {
        string folder = NewFolder();
        File.Copy(Source + "/bindings/csharp/examples/CreateSession.cs", folder + "/CreateSession.cs");
        Command(folder, "mcs", "-r:Zelf.dll", "CreateSession.cs");
        Claim.Contains("Authorization: Bearer eyJ", Command(folder, "mono", "CreateSession.exe", Sandbox.Https, Sandbox.Ca));
    }
}
