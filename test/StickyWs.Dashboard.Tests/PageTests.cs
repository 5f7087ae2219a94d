using System.Net;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using StickyWs.Dashboard.Page;
using StickyWs.TestKit;

namespace StickyWs.Dashboard.Tests;

/// <summary>The page comes whole from the assembly, is for whoever may see the API, and lets no other code in.</summary>
public sealed partial class PageTests : DashboardTest
{
    public static TheoryData<string> Files { get; } = [.. PageFile.All.Select(file => file.Name)];

    [Theory]
    [InlineData("", "text/html")]
    [InlineData("page/app.js", "text/javascript")]
    [InlineData("page/style.css", "text/css")]
    [InlineData("page/icon.svg", "image/svg+xml")]
    public async Task Each_file_has_its_type_and_is_asked_for_anew(string path, string type)
    {
        var host = await StartAsync();

        using var answer = await AskAsync(host, path);

        Assert.Equal((HttpStatusCode.OK, type), (answer.StatusCode, answer.Content.Headers.ContentType!.MediaType));
        Assert.Equal(("no-cache", "nosniff"), (Header(answer, "Cache-Control"), Header(answer, "X-Content-Type-Options")));
        Assert.NotEmpty(await answer.Content.ReadAsByteArrayAsync(Wait.Token()));
        using var again = await AskAsync(host, path, ("If-None-Match", $"\"other\", W/{answer.Headers.ETag}"));
        Assert.Equal((HttpStatusCode.NotModified, answer.Headers.ETag), (again.StatusCode, again.Headers.ETag));
        Assert.Empty(await again.Content.ReadAsByteArrayAsync(Wait.Token()));
        using var changed = await AskAsync(host, path, ("If-None-Match", "\"other\", nonsense"));
        Assert.Equal(HttpStatusCode.OK, changed.StatusCode);
    }

    [Fact]
    public async Task No_other_code_runs_in_it_and_no_page_frames_it()
    {
        using var answer = await AskAsync(await StartAsync(), "");
        var policy = Header(answer, "Content-Security-Policy").Split("; ").Select(rule => rule.Split(' ', 2)).ToDictionary(rule => rule[0], rule => rule[1]);

        Assert.Equal(
            ("'none'", "'self'", "'self'", "'self'", "'self'"),
            (policy["default-src"], policy["script-src"], policy["style-src"], policy["connect-src"], policy["img-src"]));
        Assert.Equal(("'none'", "'none'", "'none'", "'script'"),
            (policy["frame-ancestors"], policy["base-uri"], policy["form-action"], policy["require-trusted-types-for"]));
        Assert.DoesNotContain("unsafe", Header(answer, "Content-Security-Policy"), StringComparison.Ordinal);
        Assert.Equal(("DENY", "no-referrer", "same-origin", "same-origin"),
            (Header(answer, "X-Frame-Options"), Header(answer, "Referrer-Policy"), Header(answer, "Cross-Origin-Opener-Policy"),
                Header(answer, "Cross-Origin-Resource-Policy")));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Nothing_comes_from_elsewhere_and_no_text_becomes_markup(string name)
    {
        var text = Text(name);

        Assert.DoesNotMatch(@"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|eval\(|new Function|srcdoc|createContextualFragment", text);
        Assert.DoesNotMatch("""https?://(?!www\.w3\.org/2000/svg")""", text);
        Assert.DoesNotMatch("""(?:src|href)="/|url\(|@import|import\(""", text);
        Assert.DoesNotMatch("""\sstyle="|\son[a-z]+="|<style|<script(?! type="module" src="page/)""", text);
    }

    [Fact]
    public void Every_file_that_is_named_exists_and_every_file_is_named()
    {
        var named = PageFile.All.SelectMany(file => Reference().Matches(Text(file.Name)).Select(match => match.Groups["name"].Value)).ToHashSet();

        Assert.NotEmpty(named);
        var others = PageFile.All.Select(file => file.Name).Where(name => name != PageFile.Index);
        Assert.Equal(others.Order(StringComparer.Ordinal), named.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("/stickyws", "./stickyws/")]
    [InlineData("/STICKYWS?a=b%20c", "./STICKYWS/?a=b%20c")]
    public async Task Without_its_slash_the_prefix_leads_to_the_page(string path, string location)
    {
        var host = await StartAsync();
        using var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false });

        using var answer = await client.GetAsync(new Uri(host.Address, path), Wait.Token());

        Assert.Equal((HttpStatusCode.TemporaryRedirect, location), (answer.StatusCode, Header(answer, "Location")));
        Assert.Equal("no-store", Header(answer, "Cache-Control"));
        Assert.Contains("<title>StickyWs", await host.Client.GetStringAsync(new Uri(path, UriKind.Relative), Wait.Token()), StringComparison.Ordinal);
    }

    // The references are relative, so that what is in front of the application may call it as it likes.
    [Theory]
    [InlineData("/ops/stickyws", "./stickyws/")]
    [InlineData("/ops/stickyws/", null)]
    [InlineData("/ops/stickyws/page/app.js", null)]
    public async Task Below_a_base_path_and_in_a_group_it_is_the_same(string path, string? location)
    {
        var host = Owned(await DashboardHost.StartAsync(await EchoPoolAsync(), use: app => app.UsePathBase("/ops").UseRouting()));
        using var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false });

        using var answer = await client.GetAsync(new Uri(host.Address, path), Wait.Token());

        Assert.Equal((location is null ? HttpStatusCode.OK : HttpStatusCode.TemporaryRedirect, location),
            (answer.StatusCode, answer.Headers.Location?.ToString()));
    }

    [Fact]
    public async Task Whoever_may_not_see_the_API_sees_no_page()
    {
        var local = await StartAsync();
        var authorized = Owned(await DashboardHost.StartAsync(await EchoPoolAsync(), protect: all => all.RequireAuthorization()));

        foreach (var path in Reading.Routes.Page)
        {
            Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(local, path, ("Test-Remote", "203.0.113.7")));
            Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(authorized, path));
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(authorized, path, ("X-User", "anna"), ("Test-Remote", "203.0.113.7")));
        }

        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(local, "page/app.js", ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "no-cors")));
    }

    [Fact]
    public async Task A_module_of_the_application_is_loaded_and_no_markup_comes_with_its_address()
    {
        var plain = await StartAsync();
        var host = Owned(await DashboardHost.StartAsync(await EchoPoolAsync(), configure: options => options.Banner = "/it's.js?a=1&b=2"));

        using var answer = await AskAsync(host, "");
        using var other = await AskAsync(plain, "");
        var page = await answer.Content.ReadAsStringAsync(Wait.Token());

        Assert.Contains("""<script type="module" src="/it&#x27;s.js?a=1&amp;b=2"></script>""", page, StringComparison.Ordinal);
        Assert.Contains("""<div id="banner"></div>""", page, StringComparison.Ordinal);
        Assert.NotEqual(other.Headers.ETag, answer.Headers.ETag);
        Assert.Equal(2, Script().Count(page));
        Assert.Equal(1, Script().Count(await other.Content.ReadAsStringAsync(Wait.Token())));
    }

    [Theory]
    [InlineData("/ops/stickyws/", "/ops/banner.js")]
    [InlineData("/stickyws/", "/banner.js")]
    public async Task A_module_of_the_application_is_below_its_base_path(string path, string expected)
    {
        var host = Owned(await DashboardHost.StartAsync(await EchoPoolAsync(), configure: options => options.Banner = "/banner.js",
            use: app => app.UsePathBase("/ops").UseRouting()));

        var page = await host.Client.GetStringAsync(new Uri(path, UriKind.Relative), Wait.Token());

        Assert.Contains($"""<script type="module" src="{expected}"></script>""", page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("banner.js")]
    [InlineData("../banner.js")]
    [InlineData("/\\elsewhere.example/banner.js")]
    [InlineData("https://elsewhere.example/banner.js")]
    [InlineData("//elsewhere.example/banner.js")]
    [InlineData("\\\\elsewhere.example/banner.js")]
    [InlineData("javascript:alert(1)")]
    [InlineData("/a.js\"></script><script>")]
    public async Task A_module_of_another_origin_stops_the_start(string address)
    {
        var settings = await EchoPoolAsync();

        var error = await Assert.ThrowsAsync<ArgumentException>(() => DashboardHost.StartAsync(settings, configure: options => options.Banner = address));

        Assert.Contains($"Banner is '{address}'", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("page/../openapi.json")]
    [InlineData("page/..%2fopenapi.json")]
    [InlineData("page/%2e%2e/etc/passwd")]
    [InlineData("page/..%5c..%5cStickyWs.Dashboard.dll")]
    [InlineData("page/app.js%00.html")]
    [InlineData("page//app.js")]
    public async Task No_path_leads_out_of_the_page(string path)
    {
        var host = await StartAsync();
        await using var client = await RawClient.ConnectAsync(host.Address);

        var answer = await client.AskAsync($"GET /stickyws/{path} HTTP/1.1\r\nHost: localhost\r\n\r\n");

        // Dot segments are the server's to take out; what is left is then the path.
        Assert.Contains(HttpHead.Status(answer), path == "page/../openapi.json" ? [200] : new[] { 400, 404 });
    }

    private static string Text(string name) => System.Text.Encoding.UTF8.GetString(PageFile.All.Single(file => file.Name == name).Bytes.Span);

    private static string Header(HttpResponseMessage answer, string name) => string.Join(", ", answer.Headers.GetValues(name));

    private static async Task<HttpResponseMessage> AskAsync(DashboardHost host, string path, params (string Name, string Value)[] headers)
    {
        using var request = host.Request(HttpMethod.Get, path, headers);
        return await host.Client.SendAsync(request, Wait.Token());
    }

    private static async Task<HttpStatusCode> StatusAsync(DashboardHost host, string path, params (string Name, string Value)[] headers)
    {
        using var answer = await AskAsync(host, path, headers);
        return answer.StatusCode;
    }

    [GeneratedRegex("""(?:(?:src|href)="page/|from '\./)(?<name>[\w.-]+)""")]
    private static partial Regex Reference();

    [GeneratedRegex("<script ")]
    private static partial Regex Script();
}
