using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Perfolizer.Horology;

namespace StickyWs.Benchmarks.Micro;

/// <summary>Short runs within this process: enough for ratios and allocations, which are what is looked at.</summary>
internal sealed class QuickConfig : ManualConfig
{
    public QuickConfig()
    {
        Add(DefaultConfig.Instance);
        AddJob(Job.Default
            .WithToolchain(InProcessEmitToolchain.Instance)
            .WithIterationTime(TimeInterval.FromMilliseconds(100))
            .WithWarmupCount(12)
            .WithIterationCount(9));
        AddDiagnoser(MemoryDiagnoser.Default);
        HideColumns(Column.StdDev, Column.Error, Column.RatioSD);
    }
}
