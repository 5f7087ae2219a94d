using BenchmarkDotNet.Running;
using StickyWs.Benchmarks.Balancers;
using StickyWs.Benchmarks.Micro;
using StickyWs.Benchmarks.Peers;
using StickyWs.Benchmarks.Traffic;

const string Usage = """
    micro [BenchmarkDotNet arguments]    sniffing, parsing, picking; a few minutes
    peers [--rounds N] [--only echo,bulk,handshake,http,idle,many,latency,stalled] [--out FILE]
          [--contestants raw,inline,epoll,portable,yarp,haproxy,haproxy-splice,nginx] [--base CONTESTANT]
          [--haproxy PATHS] [--nginx PATHS] [--seconds N] [--warm-up SECONDS]
                                         StickyWs, YARP, HAProxy and nginx side by side; Linux only, half an hour
    """;

switch (args)
{
    case ["micro", .. var rest]:
        BenchmarkSwitcher.FromAssembly(typeof(QuickConfig).Assembly).Run(rest is [] ? ["--filter", "*"] : rest, new QuickConfig());
        return 0;
    case ["peers", .. var rest]:
        return await PeersCommand.RunAsync(rest);
    case ["serve-backend"]:
        return await Backend.RunAsync();
    case ["serve-stickyws", var backend, .. var settings]:
        return await DotNetBalancers.RunStickyWsAsync(backend, settings);
    case ["serve-yarp", var backend]:
        return await DotNetBalancers.RunYarpAsync(backend);
    case ["load"]:
        return await Load.RunAsync();
    default:
        await Console.Error.WriteLineAsync(Usage);
        return 2;
}
