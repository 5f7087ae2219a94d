using BenchmarkDotNet.Running;
using StickyWs.Benchmarks.Micro;
using StickyWs.Benchmarks.Tunnels;

const string Usage = """
    micro [BenchmarkDotNet arguments]    sniffing, parsing, picking; a few minutes
    tunnels [--out FILE] [--rounds N] [--tunnels N]    StickyWs and YARP side by side; Linux only, under four minutes
    """;

switch (args)
{
    case ["micro", .. var rest]:
        BenchmarkSwitcher.FromAssembly(typeof(QuickConfig).Assembly).Run(rest is [] ? ["--filter", "*"] : rest, new QuickConfig());
        return 0;
    case ["tunnels", .. var rest]:
        return await Comparison.RunAsync(rest);
    case ["serve-backend"]:
        return await EchoBackend.RunAsync();
    case ["serve-stickyws", var port]:
        return await Balancers.RunStickyWsAsync(port);
    case ["serve-yarp", var port]:
        return await Balancers.RunYarpAsync(port);
    case ["load"]:
        return await Load.RunAsync();
    default:
        await Console.Error.WriteLineAsync(Usage);
        return 2;
}
