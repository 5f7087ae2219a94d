using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.DependencyInjection;
using StickyWs.Configuration;
using StickyWs.IntegrationTests.Proxying;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Pipeline;

/// <summary>The middleware that applications put in front of the balancer.</summary>
public sealed class MiddlewareTests
{
    private const string Part = "a body that is long enough to be worth it, ";
    private const string Text = Part + Part + Part;

    private static readonly Dictionary<string, (Action<IServiceCollection> Add, Action<WebApplication> Use)> Known = new()
    {
        ["ResponseCompression"] = (services => services.AddResponseCompression(options => options.EnableForHttps = true), app => app.UseResponseCompression()),
        ["OutputCache"] = (services => services.AddOutputCache(options => options.AddBasePolicy(policy => policy.Cache())), app => app.UseOutputCache()),
        ["ExceptionHandler"] = (services => services.AddProblemDetails(), app => app.UseExceptionHandler()),
        ["HttpLogging"] = (services => services.AddHttpLogging(
            options => options.LoggingFields = Microsoft.AspNetCore.HttpLogging.HttpLoggingFields.All), app => app.UseHttpLogging()),
        ["RateLimiter"] = (services => services.AddRateLimiter(
            options => options.GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, int>(_ => RateLimitPartition.GetNoLimiter(0))),
            app => app.UseRateLimiter()),
        ["Antiforgery"] = (services => services.AddAntiforgery(), app => app.UseAntiforgery()),
        ["WebSockets"] = (_ => { }, app => app.UseWebSockets()),
        ["StatusCodePages"] = (_ => { }, app => app.UseStatusCodePages()),
        ["RequestTimeouts"] = (services => services.AddRequestTimeouts(options => options.DefaultPolicy = new() { Timeout = TimeSpan.FromMinutes(5) }),
            app => app.UseRequestTimeouts()),
        ["RequestDecompression"] = (services => services.AddRequestDecompression(), app => app.UseRequestDecompression()),
        ["Cors"] = (services => services.AddCors(options => options.AddDefaultPolicy(policy => policy.AllowAnyOrigin())), app => app.UseCors()),
        ["Buffering"] = (_ => { }, app => app.Use((context, next) =>
        {
            context.Request.EnableBuffering();
            return next(context);
        })),
    };

    public static TheoryData<Way, string> WaysAndMiddleware { get; } = new(
        from way in Enum.GetValues<Way>()
        where way != Way.Sniffed
        from name in Known.Keys.Append("all")
        select (way, name));

    public static TheoryData<Way, BackendHttpVersion> WaysAndVersions { get; } = new(
        from way in new[] { Way.Http1, Way.Tls, Way.Http2, Way.Http2Tls }
        from version in new[] { BackendHttpVersion.Http1, BackendHttpVersion.Http2 }
        select (way, version));

    [Theory]
    [MemberData(nameof(WaysAndMiddleware))]
    public async Task Requests_and_handshakes_pass_behind_it(Way way, string name)
    {
        var middleware = name == "all" ? Known.Values.ToArray() : [Known[name]];
        await using var backend = Backend.Answering();
        await using var host = await AppHost.StartAsync(
            services => Array.ForEach(middleware, one => one.Add(services)), app => Array.ForEach(middleware, one => one.Use(app)), (_, _) => { },
                backend.Address);

        var answer = await host.AskAsync(way, "/a%2Fb?x");

        Assert.InRange(HttpHead.Status(answer), 101, 200);
        if (HttpHead.Status(answer) == 200) Assert.EndsWith("ok", answer, StringComparison.Ordinal);
        Assert.Equal("GET /a%2Fb?x HTTP/1.1", HttpHead.FirstLine(Assert.Single(backend.Heads)));
    }

    [Theory]
    [MemberData(nameof(WaysAndVersions))]
    public async Task A_body_that_the_application_decodes_arrives_decoded_and_whole(Way way, BackendHttpVersion version)
    {
        await using var backend = await EchoAsync(version);
        await using var host = await AppHost.StartAsync(services => services.AddRequestDecompression(), app => app.UseRequestDecompression(),
            (_, pool) => pool.HttpVersion = version, backend.Address);

        foreach (var isLengthKnown in new[] { true, false })
        {
            Assert.Equal($"|{Text}", await PostAsync(host, way, isLengthKnown, "gzip"));
            Assert.Equal($"gzip,x-own|{Encoding.Latin1.GetString(Packed())}",
                (await PostAsync(host, way, isLengthKnown, "gzip, x-own")).Replace(", ", ",", StringComparison.Ordinal));
        }
    }

    public static TheoryData<Way, BackendHttpVersion, string> WaysVersionsAndCodings { get; } = new(
        from way in new[] { Way.Http1, Way.Tls, Way.Http2, Way.Http2Tls }
        from version in new[] { BackendHttpVersion.Http1, BackendHttpVersion.Http2 }
        from coding in new[] { "gzip", "br", "deflate" }
        select (way, version, coding));

    [Theory]
    [MemberData(nameof(WaysVersionsAndCodings))]
    public async Task A_body_that_the_application_cannot_decode_is_the_clients_fault(Way way, BackendHttpVersion version, string coding)
    {
        await using var backend = await EchoAsync(version);
        await using var host = await AppHost.StartAsync(services => services.AddRequestDecompression(), app => app.UseRequestDecompression(),
            (_, pool) => pool.HttpVersion = version, backend.Address);
        using var invoker = AppHost.Invoker();
        using var request = PostTo(host, way, "/", "not coded, though it says so"u8.ToArray());
        request.Content!.Headers.ContentEncoding.Add(coding);
        using var answer = await invoker.SendAsync(request, Wait.Token());
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Empty(host.Outcomes.Failures);
    }

    [Theory]
    [MemberData(nameof(WaysAndVersions))]
    public async Task A_body_that_nobody_decodes_arrives_as_it_was_sent(Way way, BackendHttpVersion version)
    {
        await using var backend = await EchoAsync(version);
        await using var host = await AppHost.StartAsync(_ => { }, _ => { }, (_, pool) => pool.HttpVersion = version, backend.Address);

        Assert.Equal($"gzip{Packed().Length}|{Encoding.Latin1.GetString(Packed())}", await PostAsync(host, way, isLengthKnown: true, "gzip", saysLength: true));
    }

    [Theory]
    [MemberData(nameof(AppHost.Requests), MemberType = typeof(AppHost))]
    public async Task An_answer_is_compressed_once(Way way)
    {
        await using var backend = Backend.Answering("Content-Type: text/plain\r\n", Text);
        await using var host = await AppHost.StartAsync(Known["ResponseCompression"].Add, Known["ResponseCompression"].Use, (_, _) => { }, backend.Address);

        var answer = await host.AskAsync(way, headers: "Accept-Encoding: gzip\r\n");

        Assert.Equal(["gzip"], HttpHead.Values(answer, "Content-Encoding"));
        Assert.DoesNotContain(Text, answer, StringComparison.Ordinal);
    }

    private static Task<KestrelBackend> EchoAsync(BackendHttpVersion version) => KestrelBackend.StartAsync(
        async context =>
        {
            var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            var length = context.Request.Query.ContainsKey("length")
                ? context.Request.ContentLength?.ToString(System.Globalization.CultureInfo.InvariantCulture) : "";
            await context.Response.WriteAsync($"{context.Request.Headers.ContentEncoding}{length}|{Encoding.Latin1.GetString(body.ToArray())}");
        },
        version == BackendHttpVersion.Http2
            ? Microsoft.AspNetCore.Server.Kestrel.Core.HttpProtocols.Http2 : Microsoft.AspNetCore.Server.Kestrel.Core.HttpProtocols.Http1);

    private static async Task<string> PostAsync(AppHost host, Way way, bool isLengthKnown, string encoding, bool saysLength = false)
    {
        using var invoker = AppHost.Invoker();
        using var request = PostTo(host, way, saysLength ? "/?length" : "/", Packed());
        if (!isLengthKnown) request.Headers.TransferEncodingChunked = request.Version.Major == 1;
        if (!isLengthKnown && request.Version.Major == 2) request.Content = new StreamContent(new UnknownLengthStream(Packed()));
        foreach (var one in encoding.Split(", ")) request.Content!.Headers.ContentEncoding.Add(one);
        request.Content!.Headers.ContentType = new MediaTypeHeaderValue("text/plain");
        using var answer = await invoker.SendAsync(request, Wait.Token());
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return await answer.Content.ReadAsStringAsync(Wait.Token());
    }

    private static HttpRequestMessage PostTo(AppHost host, Way way, string target, byte[] body)
    {
        var request = host.Http2Request(way is Way.Http2 ? Way.Http2 : Way.Http2Tls, target);
        if (way is Way.Http1 or Way.Tls) request.Version = HttpVersion.Version11;
        if (way is Way.Http1) request.RequestUri = new Uri(host.Plain, request.RequestUri!.PathAndQuery);
        request.Method = HttpMethod.Post;
        request.Content = new ByteArrayContent(body);
        return request;
    }

    private static byte[] Packed()
    {
        var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest)) gzip.Write(Encoding.Latin1.GetBytes(Text));
        return packed.ToArray();
    }

    private sealed class UnknownLengthStream(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;
    }
}
