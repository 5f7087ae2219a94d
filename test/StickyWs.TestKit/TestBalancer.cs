using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace StickyWs.TestKit;

/// <summary>The balancer as a user writes it, with one endpoint of the application's own: <c>/app</c>.</summary>
public sealed class TestBalancer
{
    /// <summary>What the application itself answers at <c>/app</c> and, as the last resort, where no pool fits.</summary>
    public const string AppAnswer = "the application";

    /// <summary>The variable of the environment that says what the kernel refuses to the process: a <see cref="Refused"/>.</summary>
    internal const string Refuses = "STICKYWS_TEST_REFUSES";

    private static void Main(string[] args)
    {
        if (Environment.GetEnvironmentVariable(Refuses) is { } refused) Refuse(Enum.Parse<Refused>(refused));
        var builder = WebApplication.CreateBuilder(args);
        builder.AddStickyWebSocketBalancing();
        var app = builder.Build();
        app.UseStickyWebSocketBalancing();
        app.MapGet("/app", () => AppAnswer);
        app.Run();
    }

    private static void Refuse(Refused what)
    {
        if (what == Refused.Uring) SystemCallFilter.RefuseUring();
        else if (what == Refused.LargePipes) SystemCallFilter.RefuseLargePipes();
        else if (what == Refused.PipeSizes) SystemCallFilter.RefusePipeSizes();
    }
}
